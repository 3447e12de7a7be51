"""Adapt a predictor to measurements."""
