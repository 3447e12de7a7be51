"""`snap-graphs catalog` and `snap-graphs fetch`."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from snap_catalog.cli import json_option, quiet_option
from snap_catalog.console import say

if TYPE_CHECKING:
    from snap_catalog import Benchmark
    from snap_catalog.catalog import SourceFile


@click.command()
@click.argument("name", required=False)
@json_option
def catalog(name: str | None, as_json: bool) -> None:
    """List the known benchmarks, or show NAME in detail."""
    from snap_catalog import benchmark, benchmarks

    entries = [benchmark(name)] if name else list(benchmarks().values())
    if as_json:
        details = [asdict(entry) for entry in entries]
        click.echo(json.dumps(details[0] if name else details, indent=2))
    elif name:
        click.echo(_describe(entries[0]))
    else:
        click.echo(_listing(entries))


@click.command()
@click.argument("name")
@click.argument("file", required=False)
@quiet_option
def fetch(name: str, file: str | None, quiet: bool) -> None:
    """Download a FILE of benchmark NAME and print its path.

    FILE defaults to the first file in the catalog. The environment variable SNAP_CACHE sets the
    cache folder.
    """
    from snap_catalog import benchmark

    from snap_graphs.downloads import fetch as download

    path = download(benchmark(name), file, quiet=quiet)
    say(f"{path}: {path.stat().st_size:,} bytes, checked", quiet=quiet)
    click.echo(path)


def _listing(entries: "list[Benchmark]") -> str:
    rows = [("NAME", "SPACE", "ROLE", "LICENCE", "TITLE")]
    for entry in entries:
        roles = ",".join(sorted({metric.role for metric in entry.metrics}))
        rows.append((entry.name, entry.space, roles, entry.licence, entry.title))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _describe(entry: "Benchmark") -> str:
    lines = [f"{entry.name}: {entry.title}", f"space: {entry.space}", f"licence: {entry.licence}"]
    if entry.package:
        lines.append(f"data package: {entry.package}")
    lines += ["", "metrics:"]
    lines += [
        f"  {m.pattern}: {m.unit}, {m.direction} is better, role {m.role}" for m in entry.metrics
    ]
    if entry.files:
        lines += ["", "files:", *(f"  {_file(file)}" for file in entry.files)]
    if entry.traps:
        lines += ["", "traps:", *(f"  - {trap}" for trap in entry.traps)]
    return "\n".join([*lines, "", entry.citation.strip()])


def _file(file: "SourceFile") -> str:
    size = f"{file.bytes:,} bytes" if file.bytes else "size unknown"
    checksum = (
        f"SHA-256 {file.sha256}" if file.sha256 else "no published checksum, pinned on first use"
    )
    places = [place for place in (file.url, *file.mirrors, file.page) if place]
    return ", ".join([file.name, size, checksum, *places])
