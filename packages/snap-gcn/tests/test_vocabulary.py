import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_gcn.data.vocabulary import Vocabulary
from snap_graphs import Graphs


def operators(*rows: tuple[str | None, str, list[float]], encoder: str = "a" * 64) -> Vocabulary:
    spaces, names, vectors = zip(*rows, strict=True)
    size = len(vectors[0])
    column = pa.FixedSizeListArray.from_arrays(
        pa.array(np.concatenate(vectors).astype(np.float32)), size
    )
    table = pa.table({"space": pa.array(spaces, pa.string()), "op": names, "text": names})
    table = table.append_column("embedding", column)
    metadata = {"snap.model": "test-encoder", "snap.model_sha256": encoder}
    return Vocabulary.from_table(table.replace_schema_metadata(metadata))


def graph(space: str, *nodes: str) -> pa.Table:
    links = list(range(len(nodes) - 1))
    return pa.table(
        {
            "space": [space],
            "nodes": [list(nodes)],
            "src": pa.array([links], pa.list_(pa.int16())),
            "dst": pa.array([[i + 1 for i in links]], pa.list_(pa.int16())),
        }
    )


def find(vocabulary: Vocabulary, table: pa.Table) -> list[int]:
    return list(vocabulary.find(table["space"], Graphs.from_table(table), "g.parquet"))


def test_an_operator_of_the_graph_s_space_goes_before_one_of_none() -> None:
    known = operators((None, "conv", [1, 0]), ("a", "conv", [0, 1]), (None, "pool", [1, 1]))
    assert find(known, graph("a", "conv", "pool")) == [1, 2]
    assert find(known, graph("b", "conv", "pool")) == [0, 2]


def test_an_unknown_operator_is_refused_with_the_nearest_known_and_the_remedy() -> None:
    known = operators(("a", "conv3x3", [1, 0]), ("a", "max_pool", [0, 1]))
    with pytest.raises(SnapError) as caught:
        find(known, graph("a", "conv5x5"))
    message = str(caught.value)
    assert message.startswith("g.parquet: no vector for operator 'conv5x5' of space 'a'")
    assert "nearest known: conv3x3, max_pool" in message
    assert "snap-encode" in message
    assert "\n" not in message


def test_added_operators_go_before_the_model_s_own() -> None:
    own = operators((None, "conv", [1, 0]), (None, "pool", [1, 1]))
    both = own.extended(operators((None, "conv", [0, 1]), (None, "attention", [0, 0])), "x")
    assert len(both.rows) == 3
    assert both.vectors[both.rows[None, "conv"]].tolist() == [0, 1]
    assert both.vectors[both.rows[None, "attention"]].tolist() == [0, 0]
    assert both.extended(both, "x").rows == both.rows


@pytest.mark.parametrize(
    "other",
    [
        operators((None, "x", [0.0, 1.0]), encoder="b" * 64),
        operators((None, "x", [0.0, 1.0, 2.0])),
    ],
)
def test_vectors_of_another_encoder_are_refused(other: Vocabulary) -> None:
    own = operators((None, "conv", [1, 0]))
    with pytest.raises(SnapError, match=r"ops\.parquet: made by encoder test-encoder"):
        own.extended(other, "ops.parquet")


def test_distance_is_nought_for_what_was_trained_on_and_grows_away_from_it() -> None:
    known = operators((None, "a", [1, 0]), (None, "b", [1, 1]), (None, "c", [0, 2]))
    trained = known.vectors[[known.rows[None, "a"]]]
    np.testing.assert_allclose(known.distances(trained), [0, 1 - 0.5**0.5, 1], atol=1e-7)


def test_operators_described_otherwise_or_added_are_not_kept() -> None:
    own = operators((None, "a", [1, 0]), (None, "b", [1, 1]))
    other = own.extended(operators((None, "b", [0, 1]), (None, "c", [1, 0])), "x")
    kept = other.kept(own)
    assert {name: bool(kept[row]) for (_, name), row in other.rows.items()} == {
        "a": True,
        "b": False,
        "c": False,
    }


def with_readings(vocabulary: Vocabulary, *readings: str | None) -> Vocabulary:
    column = vocabulary.table.schema.get_field_index("reading")
    values = pa.array(readings, pa.string())
    return Vocabulary.from_table(vocabulary.table.set_column(column, "reading", values))


def test_an_operator_that_was_read_is_a_user_s_and_not_one_that_is_known() -> None:
    known = with_readings(operators((None, "a", [1]), (None, "b", [1])), None, "convolution")
    assert known.is_read()
    assert [known.describes(name, name) for name in "abc"] == [True, False, False]
    assert not known.describes("a", "b")


def test_what_a_model_is_trained_on_is_kept_without_readings() -> None:
    read = with_readings(operators((None, "a", [1])), "convolution")
    kept = Vocabulary.from_table(read.unread())
    assert not kept.is_read()
    assert kept.table.drop_columns(["reading"]) == read.table.drop_columns(["reading"])
    assert kept.encoder() == read.encoder()
