"""Measure what the encoder's vectors separate, and how much a predictor gains from it.

    uv run --all-groups python -m tools.measure.encoder lengths

and likewise the other subcommands; what they print is in docs/encoder.md.
"""

import click

from tools.measure.encoder.before_after import draw_before_after
from tools.measure.encoder.controls import controls
from tools.measure.encoder.lengths import rank_lengths
from tools.measure.encoder.map import draw_map
from tools.measure.encoder.robustness import robustness
from tools.measure.encoder.separation import separation
from tools.measure.encoder.understood import measure_reading


@click.group()
def main() -> None:
    """Measure the encoder; every subcommand prints a Markdown table."""


for command in (
    measure_reading,
    separation,
    rank_lengths,
    controls,
    robustness,
    draw_before_after,
    draw_map,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
