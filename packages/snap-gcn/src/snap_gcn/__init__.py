"""A graph convolutional network that ranks architectures of search spaces it has never seen."""
