"""`snap-encode read`."""

import json
from typing import TYPE_CHECKING

import click
from snap_catalog.cli import json_option, quiet_option

if TYPE_CHECKING:
    from snap_encode.reading import Reading
    from snap_encode.similarity import Match


@click.command()
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@json_option
@quiet_option
def read(texts: tuple[str, ...], as_json: bool, quiet: bool) -> None:
    """Print how operator descriptions are read.

    Shows the operator, the confidence and the nearest known operator of each description.

    A description read with high confidence is encoded as the sentence shown, whatever its words.
    """
    from snap_encode.reading import Reader
    from snap_encode.similarity import nearest

    readings = Reader().read(texts, quiet=quiet)
    meant = [each.sentence if each.readable else each.text for each in readings]
    matches = [nearest(text, k=1, catalogued=True)[0] for text in meant]
    if as_json:
        found = [_entry(each, match) for each, match in zip(readings, matches, strict=True)]
        click.echo(json.dumps(found, indent=2))
        return
    for each, match in zip(readings, matches, strict=True):
        click.echo(_lines(each, match))


def _lines(reading: "Reading", match: "Match") -> str:
    """Format a reading, its confidence and the nearest known operator as lines."""
    sure = ", ".join(f"{name} {value:.2f}" for name, value in reading.confidence.items())
    shown = {
        "read as": reading.summary if reading.readable else "no known operator",
        "confidence": sure,
        **({"sentence": reading.sentence} if reading.readable else {}),
        "nearest": f"{', '.join(match.operators)} ({match.cosine:.2f})",
    }
    return "\n".join([reading.text, *(f"  {name:<10}  {text}" for name, text in shown.items())])


def _entry(reading: "Reading", match: "Match") -> dict[str, object]:
    names = ("kind", "kernel", "stride", "dilation", "groups", "expansion", "function", "follows")
    return {
        "text": reading.text,
        **{name: getattr(reading, name) for name in names},
        "confidence": dict(reading.confidence),
        "readable": reading.readable,
        "sentence": reading.sentence if reading.readable else None,
        "nearest": match._asdict(),
    }
