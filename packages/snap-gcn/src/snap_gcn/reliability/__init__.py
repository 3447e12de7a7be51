"""Judge how far to trust a ranking."""
