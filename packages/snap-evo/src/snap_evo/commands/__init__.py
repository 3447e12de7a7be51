"""The commands of `snap-evo`."""
