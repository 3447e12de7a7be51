from typing import get_args

import pyarrow as pa
import pytest
from snap_catalog.schemas import Column, Name, contract

NAMES: tuple[Name, ...] = get_args(Name)
_KNOWN_TYPES = {
    "string": pa.string(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "list<string>": pa.list_(pa.string()),
    "list<int16>": pa.list_(pa.int16()),
    "list<int64>": pa.list_(pa.int64()),
    "list<list<int32>>": pa.list_(pa.list_(pa.int32())),
    "fixed_size_list<float>": pa.list_(pa.float32(), 384),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_column_of_a_contract_is_described_and_accepts_its_own_type_alone(name: Name) -> None:
    for column in contract(name).columns:
        assert column.about
        accepted = [text for text, actual in _KNOWN_TYPES.items() if column.accepts(actual)]
        assert accepted == [column.type]


@pytest.mark.parametrize("name", NAMES)
def test_the_key_of_a_contract_is_among_its_columns(name: Name) -> None:
    rules = contract(name)
    assert rules.name == name
    assert rules.about
    assert 1 <= rules.oldest <= rules.version
    assert all(1 <= column.since <= rules.version for column in rules.columns)
    assert set(rules.key) <= {column.name for column in rules.columns}
    assert rules.key_of({column.name for column in rules.columns}) == rules.key


def test_an_optional_column_of_a_key_is_part_of_it_where_it_is_there() -> None:
    rules = contract("scores")
    assert rules.key_of(["scorer", "score"]) == ("space", "arch_id", "scorer")
    assert rules.key_of([]) == ("space", "arch_id")


@pytest.mark.parametrize("name", NAMES)
def test_metadata_that_a_contract_asks_for_is_in_the_tools_namespace(name: Name) -> None:
    rules = contract(name)
    assert all(key.startswith("snap.") for key in rules.metadata + rules.provenance)


@pytest.mark.parametrize(
    "actual", [pa.list_(pa.int32()), pa.list_(pa.int16(), 3), pa.large_list(pa.int16()), pa.int16()]
)
def test_a_list_column_refuses_other_lists(actual: pa.DataType) -> None:
    assert not Column("src", "list<int16>", "sources").accepts(actual)


def test_vectors_may_have_any_one_length() -> None:
    column = Column("embedding", "fixed_size_list<float>", "vector")
    assert column.accepts(pa.list_(pa.float32(), 1))
    assert column.accepts(pa.list_(pa.float32(), 768))
    assert not column.accepts(pa.list_(pa.float32()))
    assert not column.accepts(pa.list_(pa.float64(), 384))
