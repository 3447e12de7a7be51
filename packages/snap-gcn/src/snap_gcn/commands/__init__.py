"""The subcommands of `snap-gcn`, a module each."""
