"""Layers put together into the operators of a whole network's graph."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs import Graphs
from snap_graphs.networks import Attribute, Kind, Layer, Network, assembled, network_table
from snap_graphs.networks.layer import term
from snap_graphs.networks.naming import Operator

MAP = (8, 16, 16)
BN, RELU, SIGMOID = ({"name": name} for name in ("batch normalisation", "ReLU", "sigmoid"))


def conv(source: int, kernel: int = 3, **attributes: Attribute) -> Layer:
    known = {"kernel": (kernel, kernel), "in_channels": 8, "out_channels": 8, **attributes}
    return Layer("convolution", (source,), MAP, 7, 70, 700, known)


def bn(source: int) -> Layer:
    return Layer("normalisation", (source,), MAP, 16, attributes=BN)


def relu(source: int) -> Layer:
    return Layer("activation", (source,), MAP, attributes=RELU)


def linear(source: int, **attributes: Attribute) -> Layer:
    return Layer("linear", (source,), (4, 8), 9, 90, 900, attributes)


def layer(kind: Kind, *inputs: int, shape: tuple[int, ...] = MAP, **attributes: Attribute) -> Layer:
    return Layer(kind, inputs, shape, attributes=attributes)


def network(*layers: Layer) -> Network:
    """Assemble layers between an input and an output that reads the last."""
    return assembled([layer("input"), *layers, layer("output", len(layers))])


def drawn(found: Network) -> list[str]:
    """Write every node with the positions of what it reads."""
    return [
        " ".join([name, *(str(s) for s, d in found.edges if d == place)])
        for place, name in enumerate(found.nodes)
    ]


def test_a_convolution_takes_in_its_normalisation_and_activation() -> None:
    found = network(conv(0), bn(1), relu(2), conv(3, 5, stride=(2, 2), groups=8), bn(4))
    assert drawn(found) == ["input", "conv3x3-bn-relu 0", "dwconv5x5-s2-bn 1", "output 2"]
    assert found.params == (0, 23, 23, 0)
    assert found.flops == (0, 70, 70, 0)
    assert found.activations == 1400
    assert found.descriptions == {
        "conv3x3-bn-relu": "Convolution 3x3, batch normalisation, ReLU",
        "dwconv5x5-s2-bn": "Depthwise convolution 5x5, stride 2, batch normalisation",
    }


def test_a_normalisation_and_activation_that_come_first_join_the_convolution() -> None:
    found = network(bn(0), relu(1), conv(2))
    assert drawn(found) == ["input", "bn-relu-conv3x3 0", "output 1"]
    sentence = "Convolution 3x3, preceded by batch normalisation and ReLU"
    assert found.descriptions["bn-relu-conv3x3"] == sentence


def test_what_several_operators_read_stays_a_node() -> None:
    found = network(bn(0), relu(1), conv(2), conv(2), layer("concatenation", 3, 4))
    assert drawn(found) == [
        "input",
        "bn-relu 0",
        "conv3x3 1",
        "conv3x3 1",
        "concatenation 2 3",
        "output 4",
    ]


def test_a_sum_that_one_operator_reads_vanishes() -> None:
    found = network(conv(0), conv(0), layer("add", 1, 2), relu(3))
    assert drawn(found) == ["input", "conv3x3 0", "conv3x3 0", "relu 1 2", "output 3"]


def test_a_sum_that_several_read_stays_an_identity() -> None:
    found = network(conv(0), layer("add", 0, 1), conv(2), layer("add", 2, 3))
    assert drawn(found) == [
        "input",
        "conv3x3 0",
        "skip_connect 0 1",
        "conv3x3 2",
        "output 2 3",
    ]


def test_a_value_summed_with_itself_passes_an_identity() -> None:
    found = network(conv(0), layer("add", 1, 1), relu(2))
    assert drawn(found) == ["input", "conv3x3 0", "skip_connect 1", "relu 1 2", "output 3"]


def test_a_sum_before_what_does_not_sum_stays_an_identity() -> None:
    found = network(conv(0), conv(0), layer("add", 1, 2), layer("concatenation", 3, 1))
    assert "skip_connect 1 2" in drawn(found)
    assert "concatenation 1 3" in drawn(found)


def test_what_computes_nothing_vanishes_and_leaves_its_parameters() -> None:
    shift = Layer("add", (1,), MAP, params=5)
    found = network(conv(0), shift, layer("pass", 2), relu(3))
    assert drawn(found) == ["input", "conv3x3-relu 0", "output 1"]
    assert found.params == (0, 12, 0)


def test_layers_that_read_no_input_count_at_their_first_reader() -> None:
    table = Layer("linear", (), (4,), params=11, flops=22)
    found = network(table, Layer("activation", (1,), (4,)), Layer("add", (0, 2), MAP), conv(3))
    assert drawn(found) == ["input", "conv3x3 0", "output 1"]
    assert sum(found.params) == 18
    assert sum(found.flops) == 92


def test_a_squeeze_and_excitation_is_one_operator() -> None:
    gates = [
        layer("pooling", 1, name="average", is_global=True),
        conv(2, 1, out_channels=2),
        relu(3),
        conv(4, 1, in_channels=2),
        Layer("activation", (5,), MAP, attributes=SIGMOID),
    ]
    found = network(relu(0), *gates, layer("multiply", 6, 1), conv(7, 1))
    assert drawn(found) == ["input", "relu 0", "se-r4 1", "conv1x1 2", "output 3"]
    assert found.params[2] == 14
    assert found.descriptions["se-r4"] == "Squeeze-and-excitation, reduction 4"


def test_gates_of_another_feature_map_are_no_squeeze_and_excitation() -> None:
    gates = [layer("pooling", 0, name="average", is_global=True), conv(1, 1)]
    found = network(*gates, conv(0), layer("multiply", 3, 2))
    assert found.nodes[-2] == "multiply"


def attention(*, mask: bool) -> list[Layer]:
    scores = (3, 4, 4)
    between = [layer("add", 5, shape=scores)] if mask else []
    after = 5 + len(between)
    return [
        linear(0),
        linear(1),
        linear(1),
        linear(1),
        Layer("product", (2, 3), scores, flops=48, activations=48),
        *between,
        layer("softmax", after, shape=scores),
        Layer("product", (after + 1, 4), (3, 4, 2), flops=50, activations=24),
        layer("pass", after + 2, shape=(4, 8)),
        linear(after + 3),
    ]


@pytest.mark.parametrize("mask", [False, True])
def test_an_attention_takes_in_its_projections(mask: bool) -> None:
    found = network(*attention(mask=mask))
    assert drawn(found) == ["input", "linear 0", "attention-h3 1", "output 2"]
    assert found.flops[2] == 4 * 90 + 98
    assert found.descriptions["attention-h3"] == "Multi-head attention, 3 heads"


def test_a_fused_attention_takes_in_its_projections_and_what_normalises_them() -> None:
    norm = Layer("normalisation", (2,), (4, 8), 4, attributes={"name": "layer normalisation"})
    core = layer("attention", 3, 2, 2, heads=2, head_channels=4)
    found = network(linear(0), linear(1), norm, core, linear(4))
    assert drawn(found) == ["input", "linear 0", "attention-h2 1", "output 2"]


def test_an_attention_leaves_out_projections_that_others_read() -> None:
    core = layer("attention", 1, 1, 1, heads=2)
    found = network(linear(0), core, layer("add", 1, 2))
    assert drawn(found) == ["input", "linear 0", "attention-h2 1", "output 1 2"]


def test_a_product_with_itself_is_a_square() -> None:
    found = network(conv(0), layer("multiply", 1, 1), conv(2))
    assert drawn(found) == ["input", "conv3x3-square 0", "conv3x3 1", "output 2"]


def test_several_inputs_and_results_join_in_one_output() -> None:
    layers = [layer("input"), layer("input"), conv(0), conv(1), layer("output", 2, 3)]
    assert drawn(assembled(layers)) == [
        "input",
        "input",
        "conv3x3 0",
        "conv3x3 1",
        "output 2 3",
    ]


def test_many_residual_blocks_take_memory_in_proportion() -> None:
    layers: list[Layer] = []
    carried = 0
    for _ in range(1000):
        at = len(layers)
        layers += [conv(carried), bn(at + 1), relu(at + 2), layer("add", carried, at + 3)]
        carried = at + 4
    found = network(*layers)
    assert len(found.nodes) == 2 + 2 * 1000 - 1
    assert len(found.edges) < 2 * len(found.nodes)


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([layer("output")], "begin with its inputs"),
        ([layer("input"), relu(0)], "end with one output"),
        ([layer("input"), relu(1), layer("output", 1)], "not layers before"),
        ([layer("input"), relu(0), layer("input"), layer("output", 1)], "begin with its inputs"),
    ],
)
def test_layers_out_of_order_are_refused(layers: Sequence[Layer], reason: str) -> None:
    with pytest.raises(SnapError, match=reason):
        assembled(layers)


SIDES = st.lists(st.integers(1, 3), min_size=2, max_size=2).map(tuple)
NAMES = st.sampled_from(["ReLU", "SiLU", "batch normalisation", "max", 'a-"b', "a", "a-", "%2d."])
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "kernel": SIDES,
        "stride": SIDES,
        "dilation": SIDES,
        "groups": st.sampled_from([1, 2, 4]),
        "in_channels": st.just(4),
        "out_channels": st.sampled_from([4, 8]),
        "transposed": st.booleans(),
        "is_global": st.booleans(),
        "heads": st.integers(0, 2),
    },
)
MAINS = st.builds(
    lambda kind, known: term(Layer(kind, (0,), MAP, attributes=known)),
    st.sampled_from(["convolution", "pooling", "linear", "attention", "other", "softmax", "add"]),
    ATTRIBUTES,
)
JOINED = st.lists(
    st.builds(
        lambda kind, name: term(Layer(kind, (0,), MAP, attributes={"name": name})),
        st.sampled_from(["normalisation", "activation"]),
        NAMES,
    ),
    max_size=2,
).map(tuple)
OPERATORS = st.builds(Operator, MAINS, JOINED, JOINED)


@given(OPERATORS, OPERATORS)
def test_operators_share_a_name_or_a_sentence_only_if_they_are_equal(
    one: Operator, other: Operator
) -> None:
    assert (one.name == other.name) == (one == other)
    assert (one.sentence == other.sentence) == (one == other)


def _layer(draw: Any, place: int) -> Layer:
    kinds: list[Kind] = [
        "convolution", "linear", "product", "attention", "normalisation", "activation", "pooling",
        "add", "multiply", "concatenation", "softmax", "pass", "other",
    ]  # fmt: skip
    inputs = draw(st.lists(st.integers(max(0, place - 4), place - 1), max_size=3))
    params, flops, put_out = draw(st.tuples(*[st.integers(0, 9)] * 3))
    known: Mapping[str, Attribute] = draw(ATTRIBUTES)
    kind = draw(st.sampled_from(kinds))
    return Layer(kind, tuple(inputs), (3, 4, 4), params, flops, put_out, known)


@st.composite
def layers(draw: Any) -> list[Layer]:
    first = draw(st.integers(1, 2))
    found = [Layer("input", (), MAP) for _ in range(first)]
    found += [_layer(draw, place) for place in range(first, first + draw(st.integers(0, 14)))]
    results = draw(st.lists(st.integers(0, len(found) - 1), min_size=1, max_size=2))
    return [*found, Layer("output", tuple(results), MAP)]


@given(layers())
def test_costs_add_up_and_the_graph_is_in_order(given_layers: list[Layer]) -> None:
    found = assembled(given_layers)
    assert sum(found.params) == sum(layer.params for layer in given_layers)
    assert sum(found.flops) == sum(layer.flops for layer in given_layers)
    assert found.activations == sum(layer.activations for layer in given_layers)
    count = len(found.nodes)
    assert len(found.shapes) == len(found.params) == len(found.flops) == count
    assert found.nodes.count("output") == 1
    assert found.nodes[-1] == "output"
    inputs = found.nodes.count("input")
    assert set(found.nodes[:inputs]) == {"input"}
    assert len({*found.edges}) == len(found.edges)
    assert all(0 <= source < target < count for source, target in found.edges)
    assert assembled(given_layers) == found


@given(layers())
def test_what_an_output_depends_on_still_leads_to_it(given_layers: list[Layer]) -> None:
    def reached(edges: Sequence[tuple[int, int]], end: int) -> set[int]:
        ahead = {end}
        for source, target in sorted(edges, key=lambda edge: -edge[1]):
            ahead |= {source} if target in ahead else set()
        return ahead

    found = assembled(given_layers)
    before = [(s, d) for d, layer in enumerate(given_layers) for s in layer.inputs]
    inputs = range(found.nodes.count("input"))
    assert reached(before, len(given_layers) - 1).intersection(inputs) == reached(
        found.edges, len(found.nodes) - 1
    ).intersection(inputs)


def test_a_table_of_networks_has_their_costs_and_descriptions() -> None:
    found = network(conv(0), bn(1), relu(2))
    table = network_table("mine", ["small"], [found])
    row = table.to_pylist()[0]
    assert row["arch_id"] == "small"
    assert row["nodes"] == ["input", "conv3x3-bn-relu", "output"]
    assert (row["params"], row["flops"], row["activations"]) == (23, 70, 700)
    assert row["node_shape"] == [[*MAP]] * 3
    assert row["node_params"] == [0, 23, 0]
    assert row["depth"] == 1
    assert json.loads(table.schema.metadata[b"snap.operators"]) == found.descriptions
    assert len(Graphs.from_table(table)) == 1


def test_a_network_of_absurd_costs_is_refused() -> None:
    huge = Layer("linear", (0,), (4,), params=2**63)
    with pytest.raises(SnapError, match="huge: its costs"):
        network_table("mine", ["huge"], [network(huge)])


def test_parts_of_one_value_that_come_together_again_are_a_rearrangement() -> None:
    parts = [layer("pass", 1), layer("pass", 1), layer("concatenation", 3, 2)]
    found = network(conv(0), *parts, relu(4))
    assert drawn(found) == ["input", "conv3x3-relu 0", "output 1"]


def test_a_product_of_two_parts_of_a_value_is_no_square() -> None:
    parts = [layer("pass", 1), layer("pass", 1), layer("multiply", 2, 3)]
    found = network(conv(0), *parts)
    assert drawn(found) == ["input", "conv3x3 0", "skip_connect 1", "multiply 1 2", "output 3"]


def test_a_division_by_the_own_length_is_a_normalisation() -> None:
    length = [layer("other", 1, name="linalg_vector_norm"), layer("activation", 2, name="clamp")]
    found = network(linear(0), *length, layer("other", 1, 3, name="division"))
    assert drawn(found) == ["input", "linear-l2n 0", "output 1"]
    found = network(linear(0), *length, layer("other", 0, 3, name="division"))
    assert found.nodes[-2] == "other:division"
