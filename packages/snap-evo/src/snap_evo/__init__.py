"""Evolutionary search for neural network cells with any scorer."""
