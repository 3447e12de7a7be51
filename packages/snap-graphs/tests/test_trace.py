"""What is read of PyTorch modules: layers, parameters, multiply-adds and activations."""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_graphs.networks import Layer, assembled
from snap_graphs.torch.trace import read_inputs, trace_module
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

IMAGE = (3, 16, 16)


def traced(module: Callable[[], nn.Module], inputs: object = IMAGE) -> list[Layer]:
    with torch.device("meta"):
        built = module()
    layers = trace_module(built, read_inputs(inputs))
    assert sum(layer.params for layer in layers) == sum(p.numel() for p in built.parameters())
    network = assembled(layers)
    assert sum(network.params) == sum(layer.params for layer in layers)
    assert sum(network.flops) == sum(layer.flops for layer in layers)
    return layers


def of(kind: str, layers: list[Layer]) -> list[Layer]:
    return [layer for layer in layers if layer.kind == kind]


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Any:
        x = self.stem(x)
        x = x + F.relu_(self.norm(x))
        return self.head(x.mean((2, 3)))


def test_a_residual_network_is_read_layer_by_layer() -> None:
    layers = traced(Residual)
    assert [layer.kind for layer in layers] == [
        *("input", "convolution", "normalisation", "activation", "add", "pooling", "linear"),
        "output",
    ]
    stem, norm, relu, add, pool, head = layers[1:-1]
    assert (stem.params, stem.flops, stem.activations) == (216, 216 * 256, 8 * 256)
    assert (norm.params, norm.attributes["name"]) == (16, "batch normalisation")
    assert add.inputs == (1, 3)
    assert relu.attributes["name"] == "ReLU"
    assert (pool.attributes["name"], pool.attributes["is_global"]) == ("average", True)
    assert (head.params, head.flops, head.activations, head.shape) == (90, 80, 10, (10,))


class Excited(nn.Module):
    """A depthwise convolution with squeeze-and-excitation."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(3, 3, 5, stride=2, padding=2, groups=3)
        self.reduce, self.expand = nn.Conv2d(3, 2, 1), nn.Conv2d(2, 3, 1)

    def forward(self, x: Tensor) -> Any:
        x = F.silu(self.depthwise(x), inplace=True)
        gate = self.expand(F.relu6(self.reduce(F.adaptive_avg_pool2d(x, 1))))
        return x * F.hardsigmoid(gate)


def test_depthwise_convolution_and_gate_are_described() -> None:
    layers = traced(Excited)
    depthwise = of("convolution", layers)[0]
    assert depthwise.attributes == {
        "kernel": (5, 5),
        "stride": (2, 2),
        "dilation": (1, 1),
        "groups": 3,
        "in_channels": 3,
        "out_channels": 3,
        "transposed": False,
    }
    assert (depthwise.flops, depthwise.shape) == (3 * 25 * 64, (3, 8, 8))
    names = [layer.attributes["name"] for layer in of("activation", layers)]
    assert names == ["SiLU", "ReLU6", "hard-sigmoid"]
    assert len(of("multiply", layers)[0].inputs) == 2


class Attention(nn.Module):
    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.qkv, self.fused = nn.Linear(32, 96), fused

    def forward(self, x: Tensor) -> Any:
        q, k, v = self.qkv(x).reshape(1, -1, 3, 4, 8).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused:
            return F.scaled_dot_product_attention(q, k, v)
        return (q @ k.transpose(-2, -1) * 8**-0.5).softmax(-1) @ v


def test_fused_attention_costs_what_its_products_cost() -> None:
    fused, composed = (traced(lambda f=f: Attention(f), (10, 32)) for f in (True, False))  # type: ignore[misc]
    (attention,), products = of("attention", fused), of("product", composed)
    assert attention.attributes == {"heads": 4, "head_channels": 8}
    assert attention.flops == sum(p.flops for p in products) == 2 * 4 * 10 * 10 * 8
    assert attention.activations == sum(p.activations for p in products) == 400 + 320


def test_torchs_own_attention_is_read_in_parts() -> None:
    layers = traced(lambda: nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), (10, 32))
    assert len(of("normalisation", layers)) == 2
    assert sum(layer.flops for layer in layers) == 10 * (4 * 32 * 32 + 2 * 32 * 64) + 6400


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(50, 16), nn.Parameter(torch.zeros(1, 12, 16))
        self.head = nn.Linear(16, 50, bias=False)
        self.head.weight = self.words.weight

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Any:
        x = self.words(tokens) + self.places
        if mask is not None:
            x = x.masked_fill(mask[:, :, None], 0)
        return self.head(x)


def test_tokens_are_embedded_and_a_shared_weight_counts_once() -> None:
    layers = traced(Tokens, ((12,), "int64"))
    assert [(layer.kind, layer.params) for layer in layers] == [
        ("input", 0),
        ("embedding", 800),
        ("add", 192),
        ("linear", 0),
        ("output", 0),
    ]
    assert layers[3].flops == 12 * 16 * 50


def test_inputs_by_name_are_keyword_arguments() -> None:
    inputs = {"tokens": ((12,), "int64"), "mask": ((12,), "bool")}
    assert len(of("input", traced(Tokens, inputs))) == 2


class Difference(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"difference": x - y, "distance": (x - y).norm()}


def test_several_inputs_and_results_are_all_read() -> None:
    layers = traced(Difference, (IMAGE, IMAGE))
    assert [layer.kind for layer in layers[:3]] == ["input", "input", "add"]
    assert len(layers[-1].inputs) == 2


class Standardised(nn.Conv2d):
    def forward(self, x: Tensor) -> Any:
        weight = F.batch_norm(self.weight.reshape(1, 8, -1), None, None, training=True)
        return F.conv2d(x, weight.reshape_as(self.weight), self.bias)


def test_a_standardised_weight_is_that_of_the_convolution() -> None:
    layers = traced(lambda: Standardised(3, 8, 3))
    assert [layer.kind for layer in layers] == ["input", "convolution", "output"]
    assert (layers[1].params, layers[1].flops) == (224, 216 * 14 * 14)


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.training_only = nn.Linear(4, 4), nn.Linear(4, 100)

    def forward(self, x: Tensor) -> Any:
        if self.training:
            return self.training_only(x)
        self.training_only(x)
        return self.used(x)


def test_parameters_that_no_result_needs_count_at_the_output() -> None:
    layers = traced(Unused, (4,))
    assert [(layer.kind, layer.params) for layer in layers] == [
        ("input", 0),
        ("linear", 20),
        ("output", 500),
    ]


class Filled(nn.Module):
    """Writes into parts of a tensor that depends on no input."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        y = torch.zeros(1, 8)
        y[:, :4] = self.left(x)
        y[:, 4:] = self.right(x)
        return y


def test_what_is_written_in_place_is_read_later() -> None:
    layers = traced(Filled, (4,))
    assert Counter(layer.kind for layer in layers)["linear"] == 2
    assert layers[-1].params == 0


class Region(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fixed, self.head = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        with torch.no_grad():
            x = F.gelu(self.fixed(x))
        with torch.autocast("cpu", enabled=False):
            x = x.float().tanh()
        return self.head(x)


def test_regions_without_gradients_or_casts_are_read_through() -> None:
    kinds = [layer.kind for layer in traced(Region, (4,)) if layer.kind != "pass"]
    assert kinds == ["input", "linear", "activation", "activation", "linear", "output"]


class Choosing(nn.Module):
    def forward(self, x: Tensor) -> Any:
        return torch.cond(x.sum() > 0, torch.sin, torch.cos, (x,))


def test_a_choice_made_while_running_is_refused() -> None:
    with pytest.raises(ValueError, match="chooses among graphs"):
        traced(Choosing)


ACTIVATIONS = {
    "ReLU": F.relu,
    "ReLU6": F.hardtanh,
    "SiLU": F.silu,
    "GELU": F.gelu,
    "hard-swish": F.hardswish,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "ELU": F.elu,
    "Mish": F.mish,
    "leaky ReLU": F.leaky_relu,
    "softplus": F.softplus,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_have_the_names_of_papers(name: str) -> None:
    class Applied(nn.Module):
        def forward(self, x: Tensor) -> Any:
            arguments = (0.0, 6.0) if name == "ReLU6" else ()
            result: Tensor = ACTIVATIONS[name](x, *arguments)  # type: ignore[operator]
            return result

    assert traced(Applied)[1].attributes["name"] == name


@settings(max_examples=15)
@given(data=st.data())
def test_convolutions_cost_what_their_weights_are_used(data: st.DataObject) -> None:
    rank, groups = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([1, 2, 4]))
    transposed = data.draw(st.booleans())
    kinds = {
        (1, False): nn.Conv1d,
        (2, False): nn.Conv2d,
        (3, False): nn.Conv3d,
        (1, True): nn.ConvTranspose1d,
        (2, True): nn.ConvTranspose2d,
        (3, True): nn.ConvTranspose3d,
    }
    kernel, stride = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2))
    layers = traced(
        lambda: kinds[rank, transposed](4, 8, kernel, stride=stride, groups=groups),
        (4, *[7] * rank),
    )
    (layer,) = of("convolution", layers)
    positions = 7**rank if transposed else math.prod(layer.shape[1:])
    assert layer.flops == positions * 4 * 8 // groups * kernel**rank
    assert layer.activations == math.prod(layer.shape)
    assert layer.attributes["in_channels"] == 4
    assert layer.attributes["out_channels"] == 8


@pytest.mark.parametrize(
    ("equation", "shapes", "flops"),
    [
        ("bij,bjk->bik", ((3, 4), (4, 5)), 60),
        ("bhid,bhjd->bhij", ((2, 3, 4), (2, 5, 4)), 120),
        ("...ij,...jk", ((2, 3, 4), (2, 4, 5)), 120),
    ],
)
def test_einstein_summations_are_counted(
    equation: str, shapes: tuple[tuple[int, ...], ...], flops: int
) -> None:
    class Summed(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Any:
            return torch.einsum(equation, x, y)

    assert of("product", traced(Summed, shapes))[0].flops == flops


@pytest.mark.parametrize(
    ("name", "side"), [("resnet18", 224), ("mobilenet_v3_small", 224), ("vit_b_32", 224)]
)
def test_networks_of_torchvision_cost_what_it_publishes(name: str, side: int) -> None:
    models = pytest.importorskip("torchvision.models")
    layers = traced(lambda: models.get_model(name), (3, side, side))
    facts = models.get_model_weights(name).DEFAULT.meta
    assert sum(layer.params for layer in layers) == facts["num_params"]
    assert sum(layer.flops for layer in layers) / 1e9 == pytest.approx(
        facts["_ops"], rel=0.005, abs=0.0005
    )


def test_a_module_on_another_device_is_traced_without_its_weights() -> None:
    layers = trace_module(nn.Sequential(nn.Linear(4, 4), nn.PReLU()), read_inputs((4,)))
    assert [layer.params for layer in layers] == [0, 20, 1, 0]
