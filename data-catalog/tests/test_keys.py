import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.rules import check_key

KEY = ["space", "op"]
words = st.sampled_from(["a", "b", "c"])


def table(rows: list[tuple[str | None, str]], chunks: int = 1) -> pa.Table:
    size = max(1, len(rows) // chunks)
    parts = [rows[i : i + size] for i in range(0, len(rows), size)] or [[]]
    schema = pa.schema([(name, pa.string()) for name in KEY])
    return pa.concat_tables(
        pa.table([list(column) for column in zip(*part, strict=True)] or [[], []], schema=schema)
        for part in parts
    )


@settings(deadline=None)
@given(st.lists(st.tuples(words | st.none(), words)), st.integers(1, 3))
def test_exactly_the_tables_with_a_repeated_key_are_refused(
    rows: list[tuple[str | None, str]], chunks: int
) -> None:
    """Two nulls are equal, too."""
    if len(set(rows)) == len(rows):
        check_key(table(rows, chunks), KEY, "a")
    else:
        with pytest.raises(SnapError, match="it must be unique"):
            check_key(table(rows, chunks), KEY, "a")


def test_the_key_and_how_many_rows_share_it_are_told() -> None:
    rows: list[tuple[str | None, str]] = [("x", "c"), ("x", "b"), ("x", "d"), ("x", "b")]
    with pytest.raises(SnapError, match=r"^a: 3 rows share space 'x', op 'b'; it must be unique$"):
        check_key(table([*rows, ("x", "b")]), KEY, "a")
