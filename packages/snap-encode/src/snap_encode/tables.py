"""Operator tables, in the form of the `operators` contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from snap_catalog import SnapError, definition, operators

from snap_encode.encoder import SentenceEncoder
from snap_encode.models import DEFAULT_MODEL

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray
    from snap_catalog.catalog import Length

_Row = tuple[str | None, str, str]


def encode(texts: Sequence[str], model: str = DEFAULT_MODEL) -> NDArray[np.float32]:
    """Return the vectors of some texts; to call it often, keep a `SentenceEncoder` instead.

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
    descriptions: Mapping[str, str], model: str = DEFAULT_MODEL, *, quiet: bool = True
) -> pa.Table:
    """Encode operators of your own.

    Args:
        descriptions: operator name -> what is said of it.
        model: a known model, a folder, or a name on the Hugging Face hub.
        quiet: show no progress.

    Returns:
        A row an operator, ready for `snap_catalog.parquet.write(..., "operators", ...)`; `space`
        is null, and the schema's metadata names the model.

    Raises:
        SnapError: the model cannot be loaded.
    """
    return _table([(None, op, text) for op, text in descriptions.items()], model, quiet, {})


def catalog_table(
    *spaces: str, length: Length = "short", model: str = DEFAULT_MODEL, quiet: bool = True
) -> pa.Table:
    """Encode the operators of search spaces.

    Args:
        spaces: names of catalogued spaces, or TOML files (`*.toml`) that define your own;
            all catalogued ones where none is given.
        length: which description of a catalogued operator to encode (paper, Table 1).
        model: a known model, a folder, or a name on the Hugging Face hub.
        quiet: show no progress.

    Returns:
        A row an operator of a space, as `operator_table` has it; the schema's metadata also
        holds the length.

    Raises:
        SnapError: a space is not catalogued, a file defines none, two spaces have one name, or the
            model cannot be loaded.
    """
    rows: list[_Row] = []
    sources: dict[str, str] = {}
    for source in dict.fromkeys(spaces or operators()):
        name, descriptions = _described(source, length)
        if (other := sources.setdefault(name, source)) != source:
            raise SnapError(f"{source}: defines {name}, as {other} does; rename one of them")
        rows += [(name, operator, text) for operator, text in descriptions.items()]
    return _table(rows, model, quiet, {"snap.length": length})


def _described(space: str, length: Length) -> tuple[str, dict[str, str]]:
    """Return a space's name, and the descriptions of its operators by name.

    A space of a user's own has the nodes `input` and `output` that all spaces have.
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
            f"unknown search space {space!r}; the catalog has {', '.join(known)}, and a file "
            f"NAME{definition.SUFFIX} may define another"
        )
    return space, {operator.name: operator.descriptions[length] for operator in known[space]}


def _table(rows: Sequence[_Row], model: str, quiet: bool, metadata: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    encoder = SentenceEncoder(model)
    vectors = encoder.encode([text for _, _, text in rows], quiet=quiet)
    columns = {
        "space": _strings(space for space, _, _ in rows),
        "op": _strings(op for _, op, _ in rows),
        "text": _strings(text for _, _, text in rows),
        "embedding": _lists(vectors),
    }
    made_by = {"snap.model": encoder.name, "snap.model_sha256": encoder.sha256}
    return pa.table(columns, metadata={**made_by, **metadata})


# Not by `pa.array`, which imports pandas where that is installed, and so takes a second.


def _strings(texts: Iterable[str | None]) -> pa.StringArray:
    import pyarrow as pa

    builder = pa.lib.StringBuilder()
    builder.append_values(texts)
    return builder.finish()


def _lists(vectors: NDArray[np.float32]) -> pa.FixedSizeListArray:
    import pyarrow as pa

    count, dimension = vectors.shape
    numbers = pa.py_buffer(vectors)
    values = pa.Array.from_buffers(pa.float32(), vectors.size, [None, numbers])
    of_one_length = pa.list_(pa.float32(), dimension)
    return pa.Array.from_buffers(of_one_length, count, [None], children=[values])
