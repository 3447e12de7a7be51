"""How often descriptions are read rightly that no reader was trained on."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import click
from snap_catalog import operators
from snap_catalog.registers import HELD_OUT, UNREADABLE, Wording, wordings
from snap_encode.reading import Reader, Reading
from snap_encode.reading.kinds import KINDS

from tools import printed
from tools.measure.encoder.filling import filled
from tools.measure.encoder.wording import WRITTEN

_OPERATORS = {
    operator.name: operator.descriptions["short"]
    for space in ("darts", "nb201")
    for operator in operators()[space]
}

_CERTAIN = 0.8


@click.command(name="reading")
def measure_reading() -> None:
    """Print what is read rightly, what is not recognised, and which contradictions are noticed."""
    reader = Reader()
    click.echo("Registers held out of training\n")
    head = ["register", "texts", "kind", "kernel", "not recognised", "no operator: noticed"]
    click.echo(printed.table(head, _registers(reader)))
    click.echo("\nOperators of NAS-Bench-201 and DARTS: read as the catalog's sentence\n")
    files = {name: _file(name) for name in WRITTEN}
    head = ["wording", *(f"{name}.toml" for name in files)]
    click.echo(printed.table(head, _spaces(reader, list(files.values()))))
    click.echo("\nOther texts, of fresh.toml where nothing else is said\n")
    click.echo(printed.table(["texts", "share"], _others(reader, files["fresh"])))


def _file(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text("utf-8"))


def _registers(reader: Reader) -> Iterator[list[str]]:
    known = [each for each in wordings() if each.kind not in HELD_OUT]
    for register in ("prose", "keras", "colloquial"):
        same = [each for each in known if each.register == register]
        honest = [each for each in same if each.kind != UNREADABLE]
        texts = [filled(each, Random(f"0 {each.text}")) for each in honest]
        readings = reader.read([text for text, _ in texts])
        kinds = [r.kind == each.kind for r, each in zip(readings, honest, strict=True)]
        kernels = list(_kernels(honest, readings, [settings for _, settings in texts]))
        other = reader.read([each.text for each in same if each.kind == UNREADABLE])
        yield [
            register,
            str(len(honest)),
            *(_share(values) for values in (kinds, kernels)),
            _share([not r.readable for r in readings]),
            _share([not r.readable for r in other]),
        ]


def _kernels(
    known: Sequence[Wording], readings: Sequence[Reading], settings: Sequence[dict[str, int]]
) -> Iterator[bool]:
    """Yield, of texts whose kind is read rightly and that state a kernel, whether that is too."""
    for wording, reading, stated in zip(known, readings, settings, strict=True):
        if reading.kind == wording.kind and KINDS[reading.kind].kernel and "kernel" in stated:
            yield reading.kernel is not None and stated["kernel"] in reading.kernel


def _spaces(reader: Reader, files: Sequence[dict[str, Any]]) -> Iterator[list[str]]:
    kinds = dict.fromkeys(kind for file in files for kind in file if "nor_conv_3x3" in file[kind])
    for kind in kinds:
        yield [kind, *(_recognised(reader, file.get(kind, {})) for file in files)]


def _recognised(reader: Reader, texts: dict[str, list[str]]) -> str:
    pairs = [(op, text) for op, said in texts.items() for text in said]
    found = reader.described(pairs)
    right = [
        each.reading.sentence == _OPERATORS[op] for each, (op, _) in zip(found, pairs, strict=True)
    ]
    return f"{_share(right)} of {len(right)}" if right else ""


def _others(reader: Reader, file: dict[str, Any]) -> Iterator[list[str]]:
    entries = file["other"]["entries"]
    readings = reader.read([entry["text"] for entry in entries])
    right = [r.kind == entry["kind"] for r, entry in zip(readings, entries, strict=True)]
    yield [f"{len(entries)} of other kinds: kind read rightly", _share(right)]
    texts = file["unreadable"]["texts"]
    noticed = [not r.readable for r in reader.read(texts)]
    yield [f"{len(texts)} that describe no operator: noticed", _share(noticed)]
    unknown = reader.read([each.text for each in wordings() if each.kind in HELD_OUT])
    certain = [r.confidence["kind"] >= _CERTAIN for r in unknown]
    title = f"{len(unknown)} of the corpus, of kinds held out: read as another, {_CERTAIN} sure"
    yield [title, _share(certain)]
    for key, title in (("entries", "that contradict their names"), ("honest", "that do not")):
        pairs = file["contradictory"][key]
        said = reader.described([(pair["name"], pair["text"]) for pair in pairs])
        doubted = [each.doubt is not None for each in said]
        yield [f"{len(pairs)} {title}: doubted", _share(doubted)]


def _share(values: Sequence[bool]) -> str:
    return printed.short(sum(values) / len(values))
