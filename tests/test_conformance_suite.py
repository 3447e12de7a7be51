"""The conformance suite fails where a file breaks a contract, and only there."""

import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snap_catalog.parquet import write
from snap_graphs import graph_table, space

_CYCLIC = (
    pa.array([[2, 0], [0]], pa.list_(pa.int16())),
    pa.array([[1, 2], [1]], pa.list_(pa.int16())),
)


@pytest.fixture
def cells() -> pa.Table:
    """Two cells in a table that keeps the `graphs` contract."""
    nb101 = space("nb101")
    table = graph_table("nb101", [nb101.parse("3:101:3"), nb101.parse("2:1:")])
    origin = ("snap.benchmark", "snap.source_sha256", "snap.licence", "snap.citation")
    return table.replace_schema_metadata(dict.fromkeys(origin, "made up"))


def _failures(root: Path, *files: Path) -> set[str]:
    """Run the suite over files and return the tests that failed."""
    options = [option for file in files for option in ("--file", str(file))]
    command = [sys.executable, "-m", "pytest", "tests/contracts", "-q"]
    done = subprocess.run(
        [*command, *options], cwd=root, capture_output=True, text=True, check=False
    )
    failed = set(re.findall(r"^FAILED \S+::(.*?\])", done.stdout, re.MULTILINE))
    assert done.returncode == bool(failed), done.stdout + done.stderr
    return failed


def test_a_file_that_breaks_a_rule_fails_the_test_of_that_rule(
    pytestconfig: pytest.Config, tmp_path: Path, cells: pa.Table
) -> None:
    write(cells, tmp_path / "good.parquet", "graphs", producer="snap-graphs")
    stamped = pq.read_table(tmp_path / "good.parquet")
    broken = {
        "cyclic": stamped.set_column(3, "src", _CYCLIC[0]).set_column(4, "dst", _CYCLIC[1]),
        "narrow": stamped.drop_columns("depth"),
        "twice": pa.concat_tables([stamped, stamped]),
        "anonymous": stamped.replace_schema_metadata(
            {k: v for k, v in stamped.schema.metadata.items() if k != b"snap.licence"}
        ),
    }
    for name, table in broken.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    (tmp_path / "text.parquet").write_text("space,arch_id\n")
    named = ["good", *broken, "text"]
    reader = "test_the_reader_of_the_tools_accepts_it"
    assert _failures(pytestconfig.rootpath, *(tmp_path / f"{n}.parquet" for n in named)) == {
        "test_the_contents_keep_the_rule[cyclic.parquet: edges lead from lower to higher nodes]",
        f"{reader}[cyclic.parquet]",
        "test_the_column_is_there_with_its_type_and_without_forbidden_nulls[narrow.parquet: depth]",
        f"{reader}[narrow.parquet]",
        "test_no_two_rows_share_a_key[twice.parquet]",
        f"{reader}[twice.parquet]",
        "test_the_metadata_has[anonymous.parquet: snap.licence]",
        "test_it_is_a_parquet_file_that_claims_a_contract[text.parquet]",
    }
