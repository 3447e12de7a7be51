"""`snap-encode similarity` and `nearest`."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from snap_catalog.catalog import Length
from snap_catalog.cli import json_option, out_option, quiet_option

from snap_encode.commands.options import length_option, model_option


@click.command()
@click.argument("texts", nargs=-1, required=True, metavar="A B...")
@length_option
@model_option
@json_option
@out_option(what="SVG or PNG heat map", required=False)
@quiet_option
def similarity(
    texts: tuple[str, ...],
    length: Length | None,
    model: str,
    as_json: bool,
    out: Path | None,
    quiet: bool,
) -> None:
    """Print the cosine similarity of every pair of texts.

    SPACE:NAME, such as nb201:nor_conv_3x3, stands for the description of a catalogued operator.
    """
    from snap_catalog.parquet import check_writable

    from snap_encode.encoder import SentenceEncoder
    from snap_encode.heatmap import SUFFIXES, draw
    from snap_encode.similarity import cosines, described

    if len(texts) < 2:
        raise click.UsageError("give at least two texts")
    if out is not None:
        if out.suffix not in SUFFIXES:
            raise click.UsageError(f"{out}: unknown format; use {' or '.join(SUFFIXES)}")
        check_writable(out)
    described_texts = [described(text, length or "short") for text in texts]
    if length is not None and described_texts == list(texts):
        raise click.UsageError("--length applies to SPACE:NAME, and no text has this form")
    vectors = SentenceEncoder(model).encode(described_texts, quiet=quiet)
    matrix = cosines(vectors, vectors)
    if as_json:
        click.echo(json.dumps({"texts": texts, "cosine": matrix.tolist()}, indent=2))
    else:
        rows = (
            (str(number), text, *(f"{value:.3f}" for value in row))
            for number, (text, row) in enumerate(zip(texts, matrix.tolist(), strict=True), 1)
        )
        numbers = [str(number) for number in range(1, len(texts) + 1)]
        _print(["", "", *numbers], rows, figures=numbers)
    if out is not None:
        draw(matrix, texts, out)


@click.command()
@click.argument("text")
@click.option("-k", type=click.IntRange(min=1), default=5, show_default=True, help="How many.")
@model_option
@json_option
@quiet_option
def nearest(text: str, k: int, model: str, as_json: bool, quiet: bool) -> None:
    """Print the known operators nearest to TEXT.

    Candidates are the operators of the catalog, of torch.nn and of the corpus. Each line shows the
    cosine, the operators (SPACE:NAME) and the description that matched.
    """
    from snap_encode.similarity import nearest as matches

    found = matches(text, k, model, quiet=quiet)
    if as_json:
        click.echo(json.dumps([match._asdict() for match in found], indent=2))
    else:
        rows = ((f"{m.cosine:.3f}", ", ".join(m.operators), m.description) for m in found)
        _print(["cosine", "operator", "description"], rows, figures=["cosine"])


def _print(headers: Sequence[str], rows: Iterable[Sequence[str]], figures: Sequence[str]) -> None:
    """Print rows below their headers; `figures` are the headers of columns of numbers."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for header in headers:
        is_figure = header in figures
        table.add_column(header, justify="right" if is_figure else "left", no_wrap=is_figure)
    for row in rows:
        table.add_row(*row)
    Console(markup=False, highlight=False).print(table)
