"""Vectors of operators that a file of graphs describes, by an installed sentence encoder."""

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.nested import parse_json
from snap_catalog.parquet import decode_metadata
from snap_catalog.readings import with_readings

from snap_gcn.data.arrays import Singles
from snap_gcn.data.vocabulary import UnknownOperatorError, Vocabulary
from snap_gcn.model.schema import Encoder


class EncoderPlugin(Protocol):
    """A plug-in of the entry-point group `snap.encoders`.

    If it also implements `ReadingEncoder`, its readings are reported.

    Attributes:
        sha256: the SHA-256 of its weights.
    """

    sha256: str

    def encode(self, texts: Sequence[str]) -> Singles:
        """Return (texts, d) vectors."""


class Reading(Protocol):
    """An encoder's interpretation of a description.

    Attributes:
        summary: one line.
        confidence: by aspect, from 0 to 1; `kind` is the confidence in the kind of operator.
    """

    summary: str
    confidence: Mapping[str, float]

    def doubt(self, name: "Reading") -> str | None:
        """Return what is wrong with the description, given the reading of the operator's name."""


@runtime_checkable
class ReadingEncoder(Protocol):
    """An encoder that interprets a description before encoding it."""

    def read(self, texts: Sequence[str]) -> Sequence[Reading]:
        """Return the reading of each of n texts."""


def described(schema: pa.Schema, source: str) -> dict[str, str]:
    """Return the operators that a file of graphs describes: descriptions by name.

    Raises:
        SnapError: the metadata `snap.operators` does not map names to descriptions.
    """
    try:
        entries = parse_json(decode_metadata(schema).get("snap.operators", "{}"))
    except ValueError:
        entries = None
    if not isinstance(entries, dict) or not all(isinstance(v, str) for v in entries.values()):
        raise SnapError(f"{source}: snap.operators is no mapping of names to sentences; correct it")
    return entries


def with_described(
    vocabulary: Vocabulary,
    schema: pa.Schema,
    encoder: Encoder,
    source: str,
    own: Vocabulary | None = None,
) -> Vocabulary:
    """Add the operators that a table of graphs describes to a vocabulary.

    An operator whose description equals that of a known operator gets its vector; the encoder makes
    the others. If the encoder is installed and can read, it reads all descriptions except those of
    known operators of the same name.

    Args:
        vocabulary: the known operators; vectors that a user gave take precedence.
        schema: of the table; its metadata `snap.operators` maps names to descriptions.
        encoder: of the vocabulary's vectors.
        source: names the table in an error.
        own: the vocabulary of a trained model, over which descriptions take precedence.

    Raises:
        SnapError: the encoder is needed but is not installed, or another version is.
    """
    texts = described(schema, source)
    new = {op: text for op, text in texts.items() if _is_new(op, text, vocabulary, own)}
    if not new:
        return vocabulary
    same = {op: text for op, text in new.items() if vocabulary.describes(op, text)}
    renamed = vocabulary.renamed({op: text for op, text in new.items() if op not in same})
    rest = new.keys() - same.keys() - {*renamed["op"].to_pylist()}
    tables = [vocabulary.renamed(same)]
    if renamed.num_rows:
        tables.append(_with_readings(renamed, _plugin(encoder)))
    if rest:
        tables.append(
            _encoded({op: text for op, text in new.items() if op in rest}, encoder, source)
        )
    for table in tables:
        vocabulary = vocabulary.extended(Vocabulary.from_table(table), source)
    return vocabulary


def _is_new(name: str, text: str, vocabulary: Vocabulary, own: Vocabulary | None) -> bool:
    if vocabulary.knows_end(name):
        return False
    known = vocabulary.text((None, name))
    return known is None or (own is not None and known == own.text((None, name)) != text)


def _encoded(texts: Mapping[str, str], facts: Encoder, source: str) -> pa.Table:
    """Encode descriptions, given by name, as rows of the `operators` contract without a space."""
    encoder = _installed(facts)
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
    """Add the columns on how descriptions were read, if the encoder can read."""
    if not table.num_rows or not isinstance(encoder, ReadingEncoder):
        return table
    texts, names = (encoder.read(table[column].to_pylist()) for column in ("text", "op"))
    pairs = zip(texts, names, strict=True)
    facts = [(text.summary, text.confidence["kind"], text.doubt(name)) for text, name in pairs]
    return with_readings(table, facts)


def with_meaning(error: UnknownOperatorError, facts: Encoder) -> UnknownOperatorError:
    """Add the known operators that are nearest in meaning, if the model's encoder is installed."""
    encoder = _installed(facts)
    if encoder is None:
        return error
    known = error.vocabulary
    names = dict.fromkeys(name for _, name in error.unknown)
    vectors = encoder.encode([name.replace("_", " ") for name in names])
    nearest = np.argmax(vectors @ known.vectors.T, axis=1).tolist()
    texts = known.table["text"].to_pylist()
    listed = ", ".join(f"{n!r}: {texts[row]!r}" for n, row in zip(names, nearest, strict=True))
    hint = f" (nearest in meaning: {listed})"
    return UnknownOperatorError(known, error.unknown, error.source, hint)


def _installed(facts: Encoder) -> EncoderPlugin | None:
    """Load a model's encoder, with exactly its weights; None if no plug-in offers it."""
    encoder = _plugin(facts)
    if encoder is not None and encoder.sha256 != facts.sha256:
        raise SnapError(
            f"the installed encoder {facts.model} has SHA-256 {encoder.sha256[:8]}..., but the "
            f"model reads vectors of {facts.sha256[:8]}...; install the matching snap-encode"
        )
    return encoder


def _plugin(facts: Encoder) -> EncoderPlugin | None:
    """Load the plug-in of the name of a model's encoder, whatever its weights."""
    for found in entry_points(group="snap.encoders", name=facts.model):
        encoder: EncoderPlugin = found.load()()
        return encoder
    return None
