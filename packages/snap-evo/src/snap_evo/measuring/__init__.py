"""Search by measuring: propose architectures, measure them, and learn from the results."""
