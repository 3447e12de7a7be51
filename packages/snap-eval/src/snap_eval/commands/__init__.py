"""The commands of `snap-eval`."""
