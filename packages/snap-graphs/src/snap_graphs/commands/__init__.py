"""The subcommands of `snap-graphs`, a module for each kind of work."""
