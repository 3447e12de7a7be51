"""Build tables of the `operators` contract."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from snap_catalog import SnapError, definition, operators
from snap_catalog.catalog import Length
from snap_catalog.readings import with_readings

from snap_encode.encoder import SentenceEncoder
from snap_encode.models import DEFAULT_MODEL
from snap_encode.operator_encoder import OperatorEncoder


class _Row(NamedTuple):
    """An operator to encode; `own` if a user described it, so that the description is read."""

    space: str | None
    operator: str
    text: str
    own: bool


def encode(texts: Sequence[str], model: str = DEFAULT_MODEL) -> NDArray[np.float32]:
    """Return the vectors of texts; for repeated calls, keep a `SentenceEncoder`.

    Args:
        texts: n texts.
        model: a known model, a folder, or a name on the Hugging Face hub.

    Returns:
        Array of shape (n, d), 384 columns for the default model.

    Raises:
        SnapError: the model cannot be loaded.
    """
    return SentenceEncoder(model).encode(texts)


def operator_table(
    descriptions: Mapping[str, str],
    model: str = DEFAULT_MODEL,
    *,
    as_written: bool = False,
    quiet: bool = True,
) -> pa.Table:
    """Encode your own operators by the meaning of their descriptions.

    Args:
        descriptions: operator name -> its description.
        model: a known model, a folder, or a name on the Hugging Face hub.
        as_written: encode the descriptions literally, without reading them.
        quiet: show no progress.

    Returns:
        One row per operator, for `snap_catalog.parquet.write(..., "operators", ...)`; `space` is
        null, and the metadata name the model. If descriptions were read, the table also has the
        columns `reading`, `confidence` and `doubt`.

    Raises:
        SnapError: the model cannot be loaded.
    """
    rows = [_Row(None, op, text, own=not as_written) for op, text in descriptions.items()]
    return _table(rows, model, quiet, {})


def catalog_table(
    *spaces: str, length: Length = "short", model: str = DEFAULT_MODEL, quiet: bool = True
) -> pa.Table:
    """Encode the operators of search spaces.

    Args:
        spaces: names of catalogued spaces, or TOML files (`*.toml`) that define your own;
            all catalogued ones if no space is given.
        length: the catalog description to encode (paper, Table 1).
        model: a known model, a folder, or a name on the Hugging Face hub.
        quiet: show no progress.

    Returns:
        One row per operator, like `operator_table`; the metadata also hold the length.

    Raises:
        SnapError: a space is unknown, a file defines no space, two spaces have the same name, or
            the model cannot be loaded.
    """
    rows: list[_Row] = []
    sources: dict[str, str] = {}
    for source in dict.fromkeys(spaces or operators()):
        name, descriptions = _described(source, length)
        if (other := sources.setdefault(name, source)) != source:
            raise SnapError(
                f"{source}: defines {name}, which {other} defines too; rename one of them"
            )
        own = set(descriptions) - set(definition.COMMON) if source != name else set()
        rows += [_Row(name, op, text, op in own) for op, text in descriptions.items()]
    return _table(rows, model, quiet, {"snap.length": length})


def _described(space: str, length: Length) -> tuple[str, dict[str, str]]:
    """Return a space's name, and the descriptions of its operators by name.

    The nodes `input` and `output` are added to a user-defined space.
    """
    known = operators()
    if space.endswith(definition.SUFFIX):
        entries = definition.parse(definition.read_text(space), space)
        own = definition.described_operators(entries, space)
        common = {
            operator.name: operator.descriptions[length]
            for operator in next(iter(known.values()))
            if operator.name in definition.COMMON
        }
        return definition.space_name(entries, space, known), common | own
    if space not in known:
        raise SnapError(
            f"unknown search space {space!r}; the catalog has {', '.join(known)}; a file "
            f"NAME{definition.SUFFIX} can define another"
        )
    return space, {operator.name: operator.descriptions[length] for operator in known[space]}


def _table(rows: Sequence[_Row], model: str, quiet: bool, metadata: Mapping[str, str]) -> pa.Table:
    encoder = OperatorEncoder(model)
    own = [number for number, row in enumerate(rows) if row.own]
    plain = [number for number, row in enumerate(rows) if not row.own]
    pairs = [(rows[number].operator, rows[number].text) for number in own]
    said = encoder.described(pairs, quiet=quiet) if own else []
    # An empty list would load the model, to learn how long its vectors are.
    parts = [encoder.vectors([each.reading for each in said], quiet=quiet)] if own else []
    if plain or not own:
        parts.append(encoder.words.encode([rows[number].text for number in plain], quiet=quiet))
    vectors = np.concatenate(parts)[np.argsort([*own, *plain])]
    columns = {
        "space": pa.array([row.space for row in rows], pa.string()),
        "op": pa.array([row.operator for row in rows], pa.string()),
        "text": pa.array([row.text for row in rows], pa.string()),
        "embedding": pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1]),
    }
    made_by = {"snap.model": encoder.name, "snap.model_sha256": encoder.sha256}
    table = pa.table(columns, metadata={**made_by, **metadata})
    if not own:
        return table
    facts = [(each.reading.summary, each.reading.confidence["kind"], each.doubt) for each in said]
    read = dict(zip(own, facts, strict=True))
    return with_readings(table, [read.get(number) for number in range(len(rows))])
