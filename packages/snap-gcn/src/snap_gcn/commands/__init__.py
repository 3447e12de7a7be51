"""The subcommands of `snap-gcn`."""
