"""Adapt a predictor to what a user measured."""
