"""The contracts as a test suite: `pytest tests/contracts --file ANY.parquet`.

Without `--file` it holds the files that our own tools make to the same contracts.
"""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
from snap_catalog.columns import check_columns
from snap_catalog.parquet import check_metadata, decode_metadata, read
from snap_catalog.rules import Rule, check_key
from snap_catalog.schemas import Contract, Name


def test_it_is_a_parquet_file_that_claims_a_contract(file: Path) -> None:
    claim = decode_metadata(pq.read_schema(file)).get("snap.schema")
    assert claim in get_args(Name), f"{file}: snap.schema is {claim!r}"


def test_the_contract_is_the_expected_one_in_a_version_that_is_read(
    file: Path, rules: Contract
) -> None:
    check_metadata(pq.read_schema(file), replace(rules, metadata=()), str(file))


def test_the_metadata_has(file: Path, rules: Contract, entry: str) -> None:
    assert decode_metadata(pq.read_schema(file)).get(entry), f"{file}: no {entry}"


def test_the_column_is_there_with_its_type_and_without_forbidden_nulls(
    file: Path, table: pa.Table, rules: Contract, column: str
) -> None:
    present = [column] if column in table.column_names else []
    check_columns(table.select(present), rules, str(file), [column])


def test_further_columns_are_what_the_contract_leaves_room_for(
    file: Path, table: pa.Table, rules: Contract
) -> None:
    named = {column.name for column in rules.columns if not column.optional}
    check_columns(table.drop_columns(sorted(named & {*table.column_names})), rules, str(file), [])


def test_no_two_rows_share_a_key(file: Path, table: pa.Table, rules: Contract) -> None:
    check_key(table, rules.key_of(table.column_names), str(file))


def test_the_contents_keep_the_rule(
    file: Path, table: pa.Table, rules: Contract, rule: Rule
) -> None:
    if rule.columns <= {*table.column_names}:  # some are optional
        rule.check(table, str(file))


def test_the_reader_of_the_tools_accepts_it(file: Path, rules: Contract) -> None:
    assert read(file, rules.name).num_rows > 0
