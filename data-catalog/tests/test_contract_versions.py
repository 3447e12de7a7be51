"""Files of version 1 of the `graphs` contract, which had neither activations nor node columns."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, read, write
from snap_catalog.streams import Stream

Make = Callable[..., pa.Table]
_NEW = ["activations", "node_shape", "node_params", "node_flops"]


@pytest.fixture
def first(make: Make, tmp_path: Path) -> Path:
    """A file as version 1 had it."""
    path = tmp_path / "first.parquet"
    metadata = {"snap.schema": "graphs", "snap.schema_version": "1", "snap.producer": "snap 0"}
    pq.write_table(make("graphs").drop_columns(_NEW).replace_schema_metadata(metadata), path)
    return path


def test_a_file_of_version_1_is_read_with_the_new_costs_unknown(make: Make, first: Path) -> None:
    table = read(first, "graphs")
    assert table["activations"].null_count == table.num_rows == 2
    assert table.drop_columns("activations").equals(make("graphs").drop_columns(_NEW))
    assert table.schema.field("activations").type == pa.int64()


def test_a_file_of_version_1_is_streamed_as_it_is_read(first: Path) -> None:
    stream = Stream(first, "graphs")
    parts = list(stream.parts(1))
    for part in parts:
        stream.check(part)
    assert len(parts) == 2
    assert pa.concat_tables([part.table for part in parts]).equals(read(first, "graphs"))
    assert stream.schema.equals(parts[0].table.schema, check_metadata=True)


@pytest.mark.parametrize("column", ["activations", "flops"])
def test_one_column_of_a_file_of_version_1_is_read_alone(first: Path, column: str) -> None:
    wanted = ["arch_id", column]
    assert read(first, "graphs", wanted).column_names == wanted
    (part,) = Stream(first, "graphs", wanted).parts(5)
    assert part.table.column_names == wanted


def test_what_is_read_of_version_1_is_written_as_the_present_version(
    first: Path, tmp_path: Path
) -> None:
    table = read(first, "graphs")
    assert decode_metadata(table.schema)["snap.schema_version"] == "2"
    write(table, tmp_path / "second.parquet", "graphs", producer="snap-catalog")
    assert read(tmp_path / "second.parquet", "graphs").equals(table)


def test_a_file_of_trials_from_when_they_were_called_measurements_is_refused(
    make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "old.parquet"
    metadata = {"snap.schema": "measurements", "snap.schema_version": "1", "snap.producer": "x"}
    pq.write_table(make("trials").replace_schema_metadata(metadata), path)
    with pytest.raises(SnapError, match=r"old\.parquet: version 1 of the 'measurements' contract"):
        read(path, "measurements")


@pytest.mark.parametrize("version", ["0", "3", "01", "two"])
def test_versions_that_are_not_read_are_named_next_to_those_that_are(
    first: Path, version: str
) -> None:
    table = pq.read_table(first)
    metadata = {**table.schema.metadata, b"snap.schema_version": version.encode()}
    pq.write_table(table.replace_schema_metadata(metadata), first)
    with pytest.raises(SnapError, match=f"version {version} of .* reads versions 1 to 2; create"):
        read(first, "graphs")
