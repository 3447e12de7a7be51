"""Search by measuring: propose, have it measured, learn from it, propose again."""
