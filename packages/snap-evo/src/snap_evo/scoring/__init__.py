"""Scores of all architectures of a file, by any scorers: `snap-evo score`."""
