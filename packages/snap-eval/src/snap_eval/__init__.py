"""Honest rank correlations between scores and measured metrics of architectures."""
