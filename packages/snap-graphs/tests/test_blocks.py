"""Inverted residuals of whole networks as one node each."""

import itertools
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_graphs import graph_table, space, views
from snap_graphs.networks import Network, assembled, network_table

EXPAND, FILTER, PROJECT = "conv1x1-bn-relu6", "dwconv3x3-bn-relu6", "conv1x1-bn"
BLOCK = "mbconv3x3-e6-bn-relu6"
WIDTHS = {EXPAND: 48, FILTER: 48, "se-r4": 48}
OPERATORS = (EXPAND, FILTER, "se-r4", PROJECT, "skip_connect", "concatenation", "relu")


def network(*nodes: tuple[str, *tuple[int, ...]]) -> Network:
    """Make a network of nodes, given by name and what they read, between an input and an output."""
    nodes = (("input",), *nodes, ("output", len(nodes)))
    names = tuple(name for name, *_ in nodes)
    return Network(
        nodes=names,
        edges=tuple(sorted((s, d) for d, (_, *sources) in enumerate(nodes) for s in sources)),
        shapes=tuple((WIDTHS.get(name, 8), 14, 14) for name in names),
        params=tuple(2**place for place in range(len(nodes))),
        flops=tuple(3 * place for place in range(len(nodes))),
        activations=100,
        descriptions={PROJECT: "Convolution 1x1, batch normalisation"},
    )


def table(*networks: Network) -> pa.Table:
    return network_table("mine", [str(i) for i in range(len(networks))], networks)


def drawn(result: pa.Table, row: int = 0) -> list[str]:
    """Write every node with the positions of what it reads."""
    found = result.to_pylist()[row]
    edges = list(zip(found["src"], found["dst"], strict=True))
    return [
        " ".join([name, *(str(s) for s, d in edges if d == place)])
        for place, name in enumerate(found["nodes"])
    ]


def seen(*nodes: tuple[str, *tuple[int, ...]]) -> list[str]:
    return drawn(views.blocks(table(network(*nodes))))


def test_an_inverted_residual_is_one_node_with_its_costs_shape_and_description() -> None:
    result = views.blocks(table(network((EXPAND, 0), (FILTER, 1), ("se-r4", 2), (PROJECT, 3))))
    validate(result, "graphs")
    name = "mbconv3x3-e6-se-r4-bn-relu6"
    assert drawn(result) == ["input", f"{name} 0", "output 1"]
    row = result.to_pylist()[0]
    assert row["node_params"] == [1, 2 + 4 + 8 + 16, 32]
    assert row["node_flops"] == [0, 3 + 6 + 9 + 12, 15]
    assert row["node_shape"] == [[8, 14, 14]] * 3
    assert (row["depth"], row["activations"]) == (1, 100)
    assert json.loads(result.schema.metadata[b"snap.operators"]) == {
        PROJECT: "Convolution 1x1, batch normalisation",
        name: "Inverted residual 3x3, expansion 6, squeeze-and-excitation, reduction 4, "
        "batch normalisation, ReLU6",
    }


def test_kernel_stride_and_dilation_are_those_of_the_depthwise_convolution() -> None:
    block = (("conv1x1-gn-silu", 0), ("dwconv5x3-s2-d2-gn-silu", 1), ("conv1x1-gn", 2))
    made = network(*block)
    wide = Network(**{**vars(made), "shapes": ((8, 4, 4), (22, 4, 4), *made.shapes[2:])})
    result = views.blocks(table(wide))
    assert drawn(result)[1] == "mbconv5x3-s2-d2-e2.75-gn-silu 0"
    sentences = json.loads(result.schema.metadata[b"snap.operators"])
    assert sentences["mbconv5x3-s2-d2-e2.75-gn-silu"] == (
        "Inverted residual 5x3, stride 2, dilation 2, expansion 2.75, group normalisation, SiLU"
    )


def test_a_block_of_expansion_one_has_no_first_convolution() -> None:
    stem = ("conv3x3-bn-relu6", 0)
    name = "mbconv3x3-e1-bn-relu6"
    assert seen(stem, (FILTER, 1), (PROJECT, 2))[2] == f"{name} 1"


@pytest.mark.parametrize("reader", ["conv3x3-bn", "bn-conv3x3", "global-avgpool", "relu", "linear"])
def test_a_residual_connection_that_its_reader_sums_is_part_of_the_block(reader: str) -> None:
    block = ((EXPAND, 1), (FILTER, 2), (PROJECT, 3))
    assert seen(("conv3x3", 0), *block, (reader, 1, 4)) == [
        *("input", "conv3x3 0", f"{BLOCK}-skip_connect 1", f"{reader} 2", "output 3")
    ]


def test_a_residual_connection_that_several_read_is_part_of_the_block() -> None:
    first = ((EXPAND, 0), (FILTER, 1), (PROJECT, 2), ("skip_connect", 0, 3))
    second = ((EXPAND, 4), (FILTER, 5), (PROJECT, 6), ("skip_connect", 4, 7))
    name = f"{BLOCK}-skip_connect"
    assert seen(*first, *second) == ["input", f"{name} 0", f"{name} 1", "output 2"]


@pytest.mark.parametrize("reader", ["concatenation", "multiply", "other:minus", "attention-h8"])
def test_a_reader_that_does_not_sum_has_no_residual_connection(reader: str) -> None:
    block = ((EXPAND, 0), (FILTER, 1), (PROJECT, 2))
    assert seen(*block, (reader, 0, 3)) == ["input", f"{BLOCK} 0", f"{reader} 0 1", "output 2"]


def test_one_residual_connection_belongs_to_one_of_two_parallel_blocks() -> None:
    first = ((EXPAND, 0), (FILTER, 1), (PROJECT, 2))
    second = ((EXPAND, 0), (FILTER, 4), (PROJECT, 5))
    assert seen(*first, *second, ("skip_connect", 0, 3, 6)) == [
        *("input", f"{BLOCK}-skip_connect 0", f"{BLOCK} 0", "skip_connect 1 2", "output 3")
    ]


@pytest.mark.parametrize(
    "nodes",
    [
        ((EXPAND, 0), (FILTER, 1), ("conv1x1-bn-relu6", 2)),
        ((EXPAND, 0), ("dwconv3x3-bn", 1), (PROJECT, 2)),
        ((EXPAND, 0), (FILTER, 1), ("conv1x1", 2)),
        ((EXPAND, 0), (FILTER, 1), ("conv1x1-gn", 2)),
        (("conv3x3-bn", 0), (EXPAND, 1), (FILTER, 2), (PROJECT, 3), ("multiply", 3, 4)),
        ((EXPAND, 0), ("conv3x3-bn-relu6", 1), (PROJECT, 2)),
        ((f"dwconv{'9' * 5000}-bn-relu6", 0), (PROJECT, 1)),
    ],
)
def test_what_is_no_inverted_residual_stays_as_it_is(nodes: Any) -> None:
    before = table(network(*nodes))
    assert views.blocks(before).equals(before, check_metadata=True)


def test_a_block_that_does_not_widen_stays_as_it_is() -> None:
    made = network((EXPAND, 0), (FILTER, 1), (PROJECT, 2))
    for width in (8, 4):
        shapes = tuple((width, 14, 14) for _ in made.nodes)
        same = table(Network(**{**vars(made), "shapes": ((8, 14, 14), *shapes[1:])}))
        assert views.blocks(same).equals(same)


def test_graphs_of_cells_and_of_unknown_shapes_stay_as_they_are() -> None:
    cells = graph_table("nb201", list(itertools.islice(space("nb201").enumerate(), 5)))
    assert views.blocks(cells).equals(cells)
    made = table(network((EXPAND, 0), (FILTER, 1), (PROJECT, 2)))
    bare = made.drop_columns(["node_shape"])
    assert views.blocks(bare).equals(bare)


def test_what_is_not_known_of_a_graph_or_node_stays_unknown() -> None:
    known = network((EXPAND, 0), (FILTER, 1), (PROJECT, 2))
    made = table(known, known)
    for name, values in (
        ("node_shape", [made["node_shape"][0].as_py(), None]),
        ("node_params", [[1, 2, None, 4, 5], None]),
    ):
        place = made.column_names.index(name)
        made = made.set_column(place, name, pa.array(values, made.schema.field(name).type))
    result = views.blocks(made)
    assert drawn(result, 0) == ["input", f"{BLOCK} 0", "output 1"]
    assert drawn(result, 1) == drawn(made, 1)
    assert result["node_params"].to_pylist() == [[1, None, 5], None]
    assert result["node_flops"].to_pylist() == [[0, 18, 12], [0, 3, 6, 9, 12]]


def test_absurd_costs_and_descriptions_are_refused_in_one_line() -> None:
    made = table(network((EXPAND, 0), (FILTER, 1), (PROJECT, 2)))
    place = made.column_names.index("node_params")
    huge = made.set_column(place, "node_params", pa.array([[2**62] * 5], pa.list_(pa.int64())))
    with pytest.raises(SnapError, match="node_params: the sum of a block exceeds"):
        views.blocks(huge)
    with pytest.raises(SnapError, match=r"snap\.operators is not a mapping of names"):
        views.blocks(made.replace_schema_metadata({"snap.operators": "[]"}))


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Draw a network that is mostly a chain of what blocks are made of, with other edges."""
    names = draw(
        st.lists(
            st.sampled_from([(EXPAND, FILTER, PROJECT), *((name,) for name in OPERATORS)]),
            max_size=8,
        )
    )
    nodes: list[tuple[str, *tuple[int, ...]]] = []
    for name in itertools.chain.from_iterable(names):
        last = len(nodes)
        more = draw(st.sets(st.integers(0, last), max_size=2)) if draw(st.booleans()) else set()
        nodes.append((name, *sorted(more | {last})))
    return network(*nodes)


@settings(deadline=None)
@given(st.lists(networks(), min_size=1, max_size=3))
def test_blocks_keep_totals_order_and_connections(drawn_networks: list[Network]) -> None:
    before = table(*drawn_networks)
    after = views.blocks(before)
    validate(after, "graphs")
    assert views.blocks(after).equals(after, check_metadata=True)
    for old, new in zip(before.to_pylist(), after.to_pylist(), strict=True):
        for column in ("node_params", "node_flops"):
            assert sum(new[column]) == sum(old[column])
        assert new["nodes"][0] == "input"
        assert new["nodes"][-1] == "output"
        assert new["node_shape"][-1] == old["node_shape"][-1]
        _check_connections(old, new)


def _check_connections(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Compare the edges, by the nodes that each block is made of: its parameters are their bits."""
    place = [
        next(i for i, bits in enumerate(new["node_params"]) if bits >> node & 1)
        for node in range(len(old["nodes"]))
    ]
    joined = {(place[s], place[d]) for s, d in zip(old["src"], old["dst"], strict=True)}
    edges = {*zip(new["src"], new["dst"], strict=True)}
    around = [i for i, name in enumerate(new["nodes"]) if name.endswith("-skip_connect")]
    assert edges <= joined
    for source, target in joined - edges:
        inside = source == target
        assert inside or any({(source, b), (b, target)} <= edges for b in around)


@pytest.mark.parametrize(
    ("name", "blocks", "nodes"), [("mobilenet_v2", 17, 23), ("mobilenet_v3_small", 11, 18)]
)
def test_mobile_networks_are_chains_of_their_papers_blocks(
    name: str, blocks: int, nodes: int
) -> None:
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models")
    from snap_graphs.torch.trace import read_inputs, trace_module

    with torch.device("meta"):
        module = models.get_model(name)
    before = table(assembled(trace_module(module, read_inputs((3, 224, 224)))))
    result = views.blocks(before)
    validate(result, "graphs")
    row = result.to_pylist()[0]
    assert sum(operator.startswith("mbconv") for operator in row["nodes"]) == blocks
    assert len(row["nodes"]) == nodes
    assert sum(row["node_params"]) == row["params"] == before["params"][0].as_py()
    assert sum(row["node_flops"]) == row["flops"] == before["flops"][0].as_py()
    assert list(zip(row["src"], row["dst"], strict=True)) == list(itertools.pairwise(range(nodes)))
    assert {*row["nodes"]} - {"input", "output"} <= {
        *json.loads(result.schema.metadata[b"snap.operators"])
    }
