"""The subcommands of `snap-encode`, a module for each kind of work."""
