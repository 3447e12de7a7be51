"""`snap-evo score`: score all architectures of a file by any scorers."""
