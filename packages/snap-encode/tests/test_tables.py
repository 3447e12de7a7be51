from pathlib import Path

import numpy as np
import pytest
from snap_catalog import SnapError, operators, parquet
from snap_encode import SentenceEncoder, catalog_table, operator_table


def test_operators_of_ones_own_have_no_space(encoder: SentenceEncoder) -> None:
    known = {"conv7x7": "Convolution 7x7", "mish": "Mish activation"}
    table = operator_table(known, encoder.name)
    assert table["space"].to_pylist() == [None, None]
    assert table["op"].to_pylist() == ["conv7x7", "mish"]
    assert table["text"].to_pylist() == ["Convolution 7x7", "Mish activation"]
    expected = encoder.encode(["Convolution 7x7", "Mish activation"])
    np.testing.assert_array_equal(np.array(table["embedding"].to_pylist(), np.float32), expected)
    assert parquet.decode_metadata(table.schema) == {
        "snap.model": encoder.name,
        "snap.model_sha256": encoder.sha256,
    }


def test_the_whole_catalog_is_encoded_and_kept_as_a_file(tmp_path: Path) -> None:
    parquet.write(catalog_table(), tmp_path / "all.parquet", "operators", producer="snap-encode")
    table = parquet.read(tmp_path / "all.parquet", "operators")
    rows = zip(table["space"].to_pylist(), table["op"].to_pylist(), strict=True)
    assert list(rows) == [(s, op.name) for s, known in operators().items() for op in known]
    metadata = parquet.decode_metadata(table.schema)
    assert metadata["snap.length"] == "short"
    assert metadata["snap.model"] == "snap-minilm"


def test_operators_that_read_alike_have_one_vector_in_every_space(tiny: Path) -> None:
    table = catalog_table("nb101", "nb201", model=str(tiny))
    vectors: dict[str, list[float]] = {}
    for row in table.to_pylist():
        assert vectors.setdefault(row["text"], row["embedding"]) == row["embedding"]
    assert len(vectors) < table.num_rows


def test_a_space_named_twice_is_encoded_once_and_in_the_length_asked_for(tiny: Path) -> None:
    table = catalog_table("nb201", "nb201", length="long", model=str(tiny))
    assert table["text"].to_pylist() == [op.descriptions["long"] for op in operators()["nb201"]]
    assert parquet.decode_metadata(table.schema)["snap.length"] == "long"


def test_an_unknown_space_is_reported_with_the_known_ones() -> None:
    with pytest.raises(SnapError, match="unknown search space 'nb999'; the catalog has darts"):
        catalog_table("nb999")


def test_no_operator_makes_an_empty_table(tiny: Path) -> None:
    table = operator_table({}, model=str(tiny))
    parquet.write(table, tiny / "none.parquet", "operators", producer="snap-encode")
    assert parquet.read(tiny / "none.parquet", "operators").num_rows == 0


def _read(**descriptions: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = operator_table(descriptions).to_pylist()
    return rows


def test_what_ones_own_descriptions_were_read_as_is_reported() -> None:
    conv, pool = _read(conv="a 5 by 5 convolution", max_pool_3x3="Convolution with a 3x3 kernel")
    assert conv["reading"] == "convolution, kernel 5x5"
    assert isinstance(conv["confidence"], float)
    assert conv["confidence"] > 0.5
    assert conv["doubt"] is None
    assert "its name 'max_pool_3x3' says max pooling, kernel 3x3" in str(pool["doubt"])


def test_a_description_that_is_none_is_doubted_and_has_the_vector_of_its_words() -> None:
    (row,) = _read(op="???")
    assert "not recognised as an operator" in str(row["doubt"])
    expected = SentenceEncoder().encode(["???"])[0]
    np.testing.assert_allclose(np.array(row["embedding"], np.float32), expected, atol=1e-6)


def test_operators_of_one_meaning_have_one_vector() -> None:
    first, second = _read(a="conv 3x3", b="a convolution with a kernel of size 3")
    assert first["embedding"] == second["embedding"]


def test_words_are_encoded_unread_if_asked_for() -> None:
    table = operator_table({"a": "a 3 by 3 conv"}, as_written=True)
    assert {"reading", "confidence", "doubt"}.isdisjoint(table.column_names)
    expected = SentenceEncoder().encode(["a 3 by 3 conv"])
    np.testing.assert_array_equal(np.array(table["embedding"].to_pylist(), np.float32), expected)


def test_catalogued_operators_are_not_read() -> None:
    assert "reading" not in catalog_table("nb201").column_names


def test_the_ends_of_a_graph_have_their_own_vectors_whatever_is_said_of_them() -> None:
    rows = _read(input="return x", output="torch.cat(states, dim=1)")
    expected = SentenceEncoder("snap-minilm").encode(["Input", "Output"])
    assert [row["embedding"] for row in rows] == expected.tolist()
    assert [row["reading"] for row in rows] == ["input", "output"]
    assert [row["doubt"] for row in rows] == [None, None]
