"""What needs PyTorch (`snap-graphs[torch]`); importing this package alone does not load it."""
