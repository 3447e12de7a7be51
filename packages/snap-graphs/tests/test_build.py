"""The networks that are built, beside published figures and the analytic costs."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs import graph_table, space
from snap_graphs.spaces.genotypes import parse_genotype
from snap_graphs.torch.build import (
    PUBLISHED,
    NetworkCosts,
    Size,
    build_network,
    count_costs,
    network_size,
    try_training,
)
from snap_graphs.torch.build.genotype_network import GenotypeNetwork
from snap_graphs.torch.build.operators import (
    GENOTYPE_OPERATORS,
    FactorizedReduce,
)

DARTS_V2 = """Genotype(
    normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),
            ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)],
    normal_concat=[2, 3, 4, 5],
    reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1),
            ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)],
    reduce_concat=[2, 3, 4, 5])"""
PC_DARTS_CIFAR = """Genotype(
    normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1),
            ('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)],
    normal_concat=range(2, 6),
    reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2),
            ('sep_conv_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)],
    reduce_concat=range(2, 6))"""
PC_DARTS_IMAGENET = """Genotype(
    normal=[('skip_connect', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 0), ('skip_connect', 1),
            ('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('dil_conv_5x5', 4)],
    normal_concat=range(2, 6),
    reduce=[('sep_conv_3x3', 0), ('skip_connect', 1), ('dil_conv_5x5', 2), ('max_pool_3x3', 1),
            ('sep_conv_3x3', 2), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_3x3', 3)],
    reduce_concat=range(2, 6))"""
NASNET = """Genotype(
    normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep_conv_3x3', 0),
            ('avg_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0),
            ('sep_conv_3x3', 1), ('skip_connect', 1)],
    normal_concat=[2, 3, 4, 5, 6],
    reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), ('max_pool_3x3', 1), ('sep_conv_7x7', 0),
            ('avg_pool_3x3', 1), ('sep_conv_5x5', 0), ('skip_connect', 3), ('avg_pool_3x3', 2),
            ('sep_conv_3x3', 2), ('max_pool_3x3', 1)],
    reduce_concat=[4, 5, 6])"""
IMAGENET = {"layers": 14, "channels": 48, "classes": 1000, "image": 224}
SMALL: dict[str, Any] = {"layers": 3, "channels": 8, "image": 16}
CELLS = {
    "nb101": "5:1101011011:31m",
    "nb201": "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|",
    "transnas-micro": "64-41414-1_23_013",
    "transnas-macro": "64-1342-basic",
    "darts": DARTS_V2,
    "nds": NASNET,
}


PAGE = (Path(__file__).parents[3] / "docs" / "training.md").read_text("utf-8")


def costs(space_name: str, arch_id: str, **size: Any) -> NetworkCosts:
    with torch.device("meta"):
        network = build_network(space_name, arch_id, **size)
    return count_costs(network, network_size(space_name, **size).image)


@pytest.mark.parametrize(
    ("space_name", "arch_id", "size", "millions", "exact"),
    [
        ("darts", DARTS_V2, {}, 3.3, (3_349_342, 528_359_040)),
        ("darts", DARTS_V2, IMAGENET, 4.7, (4_718_752, 529_911_552)),
        ("darts", PC_DARTS_CIFAR, {}, 3.6, (3_634_678, 556_670_592)),
        ("darts", PC_DARTS_IMAGENET, IMAGENET, 5.3, (5_342_464, 581_627_328)),
    ],
)
def test_published_genotypes_have_the_published_and_the_documented_costs(
    space_name: str, arch_id: str, size: dict[str, int], millions: float, exact: tuple[int, int]
) -> None:
    found = costs(space_name, arch_id, **size)
    assert (found.params, found.flops) == exact
    assert round(found.params / 1e6, 1) == millions
    assert f"| {found.params:,} | {millions} M | {found.flops / 1e6:.1f} M |" in PAGE


@pytest.mark.parametrize(
    ("size", "millions"), [(Size(20, 32, 10, 32), 3.3), (Size(14, 44, 1000, 224), 5.3)]
)
def test_nasnet_a_with_its_own_outputs_has_its_published_number_of_parameters(
    size: Size, millions: float
) -> None:
    """NASNet-A (6 @ 768) and (4 @ 1056) put out their older input and one sum more."""
    genotype = parse_genotype(NASNET, ())._replace(
        normal_concat=(0, 2, 3, 4, 5, 6), reduce_concat=(3, 4, 5, 6)
    )
    found = count_costs(GenotypeNetwork(genotype, size), size.image)
    assert round(found.params / 1e6, 1) == millions
    assert f"| {found.params:,} | {millions} M | {found.flops / 1e6:.1f} M |" in PAGE


@pytest.mark.parametrize(("size", "params"), [({}, 3_830_950), (IMAGENET, 5_564_320)])
def test_the_nasnet_genotype_of_the_darts_code_base_is_counted_as_it_stands(
    size: dict[str, int], params: int
) -> None:
    found = costs("nds", NASNET, **size)
    assert found.params == params
    assert f"| {found.params:,} | | {found.flops / 1e6:.1f} M |" in PAGE


def test_at_50_channels_darts_has_about_its_published_multiply_adds_but_more_parameters() -> None:
    found = costs("darts", DARTS_V2, **(IMAGENET | {"channels": 50}))
    assert (round(found.flops / 1e6, 1), round(found.params / 1e6, 1)) == (573.5, 5.1)


@pytest.mark.parametrize("name", ["nb101", "nb201", "transnas-micro", "transnas-macro", "darts"])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_network_costs_what_the_graph_says(name: str, seed: int) -> None:
    cells = space(name).sample(1, seed=seed)
    row = graph_table(name, cells).to_pylist()[0]
    found = costs(name, row["arch_id"])
    assert found[:3] == (row["params"], row["flops"], row["activations"])


@pytest.mark.parametrize("name", CELLS)
def test_every_skeleton_maps_images_to_logits_and_can_be_trained(name: str) -> None:
    size = network_size(name, **(SMALL | ({"layers": 5} if name == "transnas-micro" else {})))
    network = build_network(name, CELLS[name], **size._asdict())
    before = {key: value.clone() for key, value in network.named_parameters()}
    assert try_training(network, size) > 0
    assert network.eval()(torch.zeros(3, 3, size.image, size.image)).shape == (3, size.classes)
    assert all(torch.equal(value, before[key]) for key, value in network.named_parameters())


def test_operators_that_do_not_act_on_the_output_get_no_gradient() -> None:
    dead = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    size = network_size("nb201", **SMALL)
    network = build_network("nb201", dead, **SMALL)
    convolutions = sum(9 * c**2 + 2 * c for c in (8, 16, 32))
    assert try_training(network, size) == count_costs(network, 16).params - convolutions


@pytest.mark.parametrize("image", [32, 224])
def test_the_auxiliary_head_speaks_in_training_only_and_is_counted_apart(image: int) -> None:
    size: dict[str, Any] = {"layers": 3, "channels": 8, "image": image}
    network = build_network("darts", DARTS_V2, **size, auxiliary=True)
    plain = build_network("darts", DARTS_V2, **size)
    images = torch.zeros(2, 3, image, image)
    assert [logits.shape for logits in network.train()(images)] == [(2, 10), (2, 10)]
    assert network.eval()(images).shape == (2, 10)
    found = count_costs(network, image)
    assert found._replace(auxiliary_params=0) == count_costs(plain, image)
    assert found.auxiliary_params == sum(
        parameter.numel() for parameter in network.get_submodule("auxiliary").parameters()
    )


def test_drop_path_disturbs_training_only() -> None:
    network = build_network("darts", DARTS_V2, **SMALL)
    assert isinstance(network, GenotypeNetwork)
    images = torch.randn(4, 3, 16, 16)
    calm = network.eval()(images)
    network.set_drop_path(0.5)
    assert torch.equal(network(images), calm)
    network.train()
    assert not torch.allclose(network(images), network(images))
    network.set_drop_path(0.0)
    assert torch.equal(network(images), network(images))


def test_a_network_built_alike_takes_the_saved_weights(tmp_path: Path) -> None:
    one, two = (build_network("nb101", CELLS["nb101"], **SMALL).eval() for _ in range(2))
    images = torch.randn(2, 3, 16, 16)
    assert not torch.equal(one(images), two(images))
    torch.save(one.state_dict(), tmp_path / "weights.pt")
    two.load_state_dict(torch.load(tmp_path / "weights.pt"))
    assert torch.equal(one(images), two(images))


@pytest.mark.parametrize(("image", "sides"), [(32, 8), (63, 16), (64, 2), (224, 7), (225, 8)])
def test_the_image_decides_the_stem(image: int, sides: int) -> None:
    network = build_network("darts", DARTS_V2, layers=3, channels=8, image=image)
    seen: list[int] = []
    network.get_submodule("cells.2").register_forward_hook(
        lambda module, inputs, output: seen.append(output.shape[-1])
    )
    network.eval()(torch.zeros(1, 3, image, image))
    assert seen == [sides]


def test_what_is_not_given_is_the_published_size() -> None:
    assert network_size("darts", classes=100) == Size(20, 36, 100, 32)
    assert set(PUBLISHED) == set(CELLS)


@pytest.mark.parametrize(
    ("name", "arch_id", "size", "message"),
    [
        (
            "nb-graph",
            "Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])",
            {},
            "no network is known around a cell of 'nb-graph'",
        ),
        ("nb201", CELLS["nb201"], {"layers": 16}, "give a multiple of 3"),
        ("transnas-micro", CELLS["transnas-micro"], {"layers": 6}, "give a multiple of 5"),
        ("darts", DARTS_V2, {"layers": 2}, "no room for two reduction cells; give 3 or more"),
        ("darts", DARTS_V2, {"classes": 0}, "classes is 0 and must be at least 1"),
        ("darts", DARTS_V2, {"image": 7}, "image is 7 and must be at least 8"),
        ("darts", DARTS_V2, {"channels": 7}, "channels is 7 and must be at least 8"),
        ("darts", DARTS_V2, {"image": 48, "auxiliary": True}, "only 32 and 224; leave it out"),
        ("nb101", CELLS["nb101"], {"auxiliary": True}, "no auxiliary head; leave it out"),
        ("nb101", "3:100:3", {}, "no path leads from the input"),
        ("nb201", "x", {}, "not a NAS-Bench-201 cell"),
        (
            "nds",
            NASNET.replace("sep_conv_7x7", "max_pool_7x7"),
            {},
            "the DARTS code base has no operator 'max_pool_7x7'",
        ),
    ],
)
def test_what_cannot_be_built_is_told(
    name: str, arch_id: str, size: dict[str, Any], message: str
) -> None:
    with pytest.raises(SnapError, match=message):
        build_network(name, arch_id, **size)


def test_a_missing_torch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snap_catalog.extras.find_spec", lambda package: None)
    with pytest.raises(SnapError, match=r"torch is required.*pip install 'snap-graphs\[torch\]'"):
        build_network("nb201", CELLS["nb201"])


def test_a_network_that_overflows_is_told() -> None:
    size = network_size("nb201", **SMALL)
    network = build_network("nb201", CELLS["nb201"], **SMALL)
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 1e38)
    with pytest.raises(SnapError, match="not finite"):
        try_training(network, size)


def test_the_vertices_of_an_edge_labelled_cell_sum_their_edges() -> None:
    skips = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+" + "|".join(
        ["|skip_connect~0", "skip_connect~1", "skip_connect~2|"]
    )
    cell = build_network("nb201", skips, **SMALL).get_submodule("2")
    x = torch.randn(2, 8, 16, 16)
    torch.testing.assert_close(cell(x), 4 * x)  # 1 + 1 + 2 ways, through 0, 1 and 2


def test_a_genotypes_nodes_sum_two_operators_and_are_concatenated() -> None:
    skips = [("skip_connect", 0), ("skip_connect", 1), ("skip_connect", 2), ("skip_connect", 1)]
    pairs = [*skips, ("max_pool_3x3", 2), ("none", 0), ("none", 1), ("skip_connect", 4)]
    genotype = f"Genotype(normal={pairs}, normal_concat=[2, 3, 5], reduce={pairs})"
    cell = build_network("nds", genotype, layers=4, channels=8, image=16).get_submodule("cells.0")
    older, newer = torch.randn(2, 2, 24, 16, 16)
    a, b = (cell.get_submodule(f"inputs.{i}")(x) for i, x in enumerate((older, newer)))
    pooled = torch.nn.functional.max_pool2d(a + b, 3, 1, 1)
    torch.testing.assert_close(cell(older, newer), torch.cat([a + b, a + 2 * b, pooled], dim=1))


def test_a_vertex_labelled_cell_cuts_sums_joins_and_adds() -> None:
    """Vertices 1 and 2 share nine channels as 5 and 4; 1 feeds 2; the input feeds all."""
    network = build_network("nb101", "4:111111:mm", layers=3, channels=9, image=16)
    cell = network.get_submodule("3").eval()
    x = torch.randn(2, 9, 16, 16)
    one, two, direct = (cell.get_submodule(f"projections.{i}")(x) for i in (1, 2, 3))
    assert [part.shape[1] for part in (one, two, direct)] == [5, 4, 9]
    first = torch.nn.functional.max_pool2d(one, 3, 1, 1)
    second = torch.nn.functional.max_pool2d(two + first[:, :4], 3, 1, 1)
    torch.testing.assert_close(cell(x), torch.cat([first, second], dim=1) + direct)


def test_halving_the_side_sees_every_second_pixel_of_either_parity() -> None:
    reduce = FactorizedReduce(1, 2).eval()
    torch.nn.init.ones_(reduce.even.weight)
    torch.nn.init.ones_(reduce.odd.weight)
    x = torch.arange(1.0, 26).reshape(1, 1, 5, 5)
    even, odd = reduce(x)[0]
    torch.testing.assert_close(even, x[0, 0, ::2, ::2], rtol=1e-4, atol=0)
    torch.testing.assert_close(odd[:2, :2], x[0, 0, 1::2, 1::2], rtol=1e-4, atol=0)
    assert (odd[2] == 0).all()
    assert (odd[:, 2] == 0).all()


@pytest.mark.parametrize("name", GENOTYPE_OPERATORS)
@pytest.mark.parametrize(("stride", "side"), [(1, 7), (2, 4)])
def test_an_operator_keeps_channels_and_divides_the_side(name: str, stride: int, side: int) -> None:
    operator = GENOTYPE_OPERATORS[name](4, stride)
    assert operator(torch.randn(2, 4, 7, 7)).shape == (2, 4, side, side)


def test_the_training_recipe_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, loading = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    batches = [(torch.randn(2, 3, 32, 32), torch.tensor([3, 7]))]
    names: dict[str, Any] = {"genotype": DARTS_V2, "epochs": 2, "batches": batches}
    exec(training + loading, names)
    assert names["network"](batches[0][0]).shape == (2, 10)
