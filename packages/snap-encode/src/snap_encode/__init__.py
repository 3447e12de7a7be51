"""Vectors for neural network operators from what is said of them."""
