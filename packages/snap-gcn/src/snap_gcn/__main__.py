"""Run `python -m snap_gcn`, which torchrun needs."""

from snap_gcn.cli import main

if __name__ == "__main__":
    main(prog_name="snap-gcn")
