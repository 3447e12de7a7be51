"""Vectors of operators that a file of graphs describes, by an installed sentence encoder."""

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.nested import parse_json
from snap_catalog.parquet import decode_metadata

from snap_gcn.data.vocabulary import UnknownOperatorError, Vocabulary
from snap_gcn.model.schema import Encoder


class EncoderPlugin(Protocol):
    """A plug-in of the entry-point group `snap.encoders`.

    One that also reads descriptions, as `ReadingEncoder` does, has its readings reported.

    Attributes:
        sha256: the SHA-256 of its weights.
    """

    sha256: str

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return (texts, d) vectors."""


class Reading(Protocol):
    """What an encoder understood a description as.

    Attributes:
        summary: one line.
        confidence: how sure `kind` is, from 0 to 1, and other things.
    """

    summary: str
    confidence: Mapping[str, float]

    def doubt(self, name: "Reading") -> str | None:
        """Return what is wrong with the description, given what its operator's name was read as."""


@runtime_checkable
class ReadingEncoder(Protocol):
    """An encoder whose vectors follow from how it reads a description."""

    def read(self, texts: Sequence[str]) -> Sequence[Reading]:
        """Return what each of n texts was understood as."""


def described(schema: pa.Schema, source: str) -> dict[str, str]:
    """Return the operators that a file of graphs describes: sentences by name.

    Raises:
        SnapError: its metadata holds something else there.
    """
    try:
        entries = parse_json(decode_metadata(schema).get("snap.operators", "{}"))
    except ValueError:
        entries = None
    if not isinstance(entries, dict) or not all(isinstance(v, str) for v in entries.values()):
        raise SnapError(f"{source}: snap.operators is no mapping of names to sentences; correct it")
    return entries


def installed(facts: Encoder) -> EncoderPlugin | None:
    """Return a model's encoder, or None where no plug-in offers it.

    Args:
        facts: the model's record of it: `model`, its name, and `sha256`.

    Raises:
        SnapError: what is installed under its name is another encoder.
    """
    encoder = _plugin(facts)
    if encoder is not None and encoder.sha256 != facts.sha256:
        raise SnapError(
            f"the installed encoder {facts.model} has SHA-256 {encoder.sha256[:8]}..., but the "
            f"model reads vectors of {facts.sha256[:8]}...; install the matching snap-encode"
        )
    return encoder


def _plugin(facts: Encoder) -> EncoderPlugin | None:
    """Return what is installed under the name of a model's encoder."""
    found = tuple(entry_points(group="snap.encoders", name=facts.model))
    if not found:
        return None
    encoder: EncoderPlugin = found[0].load()()
    return encoder


def encoded(texts: Mapping[str, str], facts: Encoder, source: str) -> pa.Table:
    """Encode operators.

    Args:
        texts: sentences by name.
        facts: the model's record of its encoder.
        source: the file that describes them, for the error.

    Returns:
        Rows of the `operators` contract, of no particular space.

    Raises:
        SnapError: the model's encoder is not installed.
    """
    encoder = installed(facts)
    if encoder is None:
        raise SnapError(
            f"{source}: describes {', '.join(texts)}, but the encoder {facts.model} is not "
            "installed; run: pip install snap-encode, or give snap-gcn predict their vectors with "
            "--operators"
        )
    vectors = encoder.encode(list(texts.values()))
    columns = {
        "space": pa.nulls(len(texts), pa.string()),
        "op": pa.array(texts.keys(), pa.string()),
        "text": pa.array(texts.values(), pa.string()),
        "embedding": pa.FixedSizeListArray.from_arrays(
            pa.array(vectors.ravel(), pa.float32()), vectors.shape[1]
        ),
    }
    metadata = {"snap.model": facts.model, "snap.model_sha256": facts.sha256}
    return _with_readings(pa.table(columns).replace_schema_metadata(metadata), encoder)


def _with_readings(table: pa.Table, encoder: EncoderPlugin | None) -> pa.Table:
    """Add how the descriptions of some operators are read, if the encoder reads any."""
    if table.num_rows and isinstance(encoder, ReadingEncoder):
        texts = dict(zip(table["op"].to_pylist(), table["text"].to_pylist(), strict=True))
        for name, column in _understood(texts, encoder).items():
            table = table.append_column(name, column)
    return table


def _understood(texts: Mapping[str, str], encoder: ReadingEncoder) -> dict[str, pa.Array]:
    """Return the columns of the `operators` contract on how descriptions were read."""
    readings, names = encoder.read(list(texts.values())), encoder.read(list(texts))
    doubts = [reading.doubt(name) for reading, name in zip(readings, names, strict=True)]
    return {
        "reading": pa.array([each.summary for each in readings], pa.string()),
        "confidence": pa.array([each.confidence["kind"] for each in readings], pa.float64()),
        "doubt": pa.array(doubts, pa.string()),
    }


def with_described(
    vocabulary: Vocabulary,
    schema: pa.Schema,
    encoder: Encoder,
    source: str,
    own: Vocabulary | None = None,
) -> Vocabulary:
    """Return a vocabulary that also holds the operators that a table of graphs describes.

    Those described in the words of a known operator have its vector; the encoder makes the others.
    All are read if the encoder is installed and can, but for those that are called alike too.

    Args:
        vocabulary: what is known; vectors that a user gave go before descriptions.
        schema: the table's; its metadata `snap.operators` maps names to sentences.
        encoder: the one that made the vocabulary's vectors.
        source: what to call the table in an error.
        own: what a trained model brings, before which descriptions go.

    Raises:
        SnapError: the encoder is needed and not installed, or another is.
    """
    texts = described(schema, source)
    new = {op: text for op, text in texts.items() if _is_new(op, text, vocabulary, own)}
    if not new:
        return vocabulary
    same = {op: text for op, text in new.items() if vocabulary.describes(op, text)}
    alike = vocabulary.renamed({op: text for op, text in new.items() if op not in same})
    rest = new.keys() - same.keys() - {*alike["op"].to_pylist()}
    tables = [vocabulary.renamed(same)]
    if alike.num_rows:
        tables.append(_with_readings(alike, _plugin(encoder)))
    if rest:
        texts = {op: text for op, text in new.items() if op in rest}
        tables.append(encoded(texts, encoder, source))
    for table in tables:
        vocabulary = vocabulary.extended(Vocabulary.from_table(table), source)
    return vocabulary


def _is_new(name: str, text: str, vocabulary: Vocabulary, own: Vocabulary | None) -> bool:
    if vocabulary.knows_end(name):
        return False
    known = vocabulary.text((None, name))
    return known is None or (own is not None and known == own.text((None, name)) != text)


def with_meaning(error: UnknownOperatorError, facts: Encoder) -> UnknownOperatorError:
    """Return a refusal that also names known operators whose descriptions mean something alike.

    Args:
        error: the refusal.
        facts: the model's record of its encoder, which must be installed for this.
    """
    encoder = installed(facts)
    if encoder is None:
        return error
    known = error.vocabulary
    names = dict.fromkeys(name for _, name in error.unknown)
    vectors = encoder.encode([name.replace("_", " ") for name in names])
    nearest = np.argmax(vectors @ known.vectors.T, axis=1).tolist()
    texts = known.table["text"].to_pylist()
    listed = ", ".join(f"{n!r}: {texts[row]!r}" for n, row in zip(names, nearest, strict=True))
    return UnknownOperatorError(
        known, error.unknown, error.source, f" (nearest in meaning: {listed})"
    )
