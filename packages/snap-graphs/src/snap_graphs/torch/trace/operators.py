"""Describe ATen operators of exported graphs as kinds of `Layer`."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from snap_graphs.networks import Attribute, Kind
from snap_graphs.torch.trace.call import (
    Call,
    Counted,
    contracted_size,
    count_attention,
    count_convolution,
    count_product,
)

_NOTHING = Counted(0, 0)


@dataclass(frozen=True)
class Described:
    """The fields of `Layer` that depend only on the operator."""

    kind: Kind
    counted: Counted = _NOTHING
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


Describe = Callable[[Call], Described]

SHAPE_ONLY = frozenset(
    {
        *("zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like"),
        *("new_zeros", "new_ones", "new_full", "new_empty", "sym_size", "sym_numel", "size"),
        *("_assert_tensor_metadata", "_assert_async", "_assert_scalar", "_shape_as_tensor"),
    }
)
"""Operators that read only the shapes of tensors."""

LIKE = frozenset({"view_as", "reshape_as", "expand_as", "type_as"})
"""Operators that read only the shape or type of their second tensor."""

VIEWS = frozenset(
    {
        *("view", "view_as", "reshape", "_unsafe_view", "_reshape_alias", "reshape_as", "alias"),
        *("permute", "transpose", "t", "numpy_T", "mT", "movedim", "swapaxes", "swapdims"),
        *("flatten", "unflatten", "squeeze", "unsqueeze", "expand", "expand_as", "broadcast_to"),
        *("slice", "select", "narrow", "diagonal", "unfold", "detach", "as_strided", "getitem"),
        *("split", "split_with_sizes", "chunk", "unbind", "tensor_split", "hsplit", "contiguous"),
        *("to", "view_as_real", "view_as_complex"),
    }
)
"""Operators whose output may share memory with their first tensor."""

_PASSES = VIEWS | {
    *("clone", "_to_copy", "type_as", "lift_fresh", "lift_fresh_copy", "copy", "float", "half"),
    *("dropout", "native_dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"),
    *("index_select", "gather", "take", "take_along_dim", "roll", "flip", "rot90", "tril", "triu"),
    *("pad", "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d"),
    *("replication_pad1d", "replication_pad2d", "replication_pad3d", "_pad_circular"),
    *("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle", "im2col"),
    *("repeat", "tile", "repeat_interleave", "unfold_copy", "permute_copy", "view_copy"),
}

_ACTIVATIONS = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "silu": "SiLU",
    "gelu": "GELU",
    "hardswish": "hard-swish",
    "hardsigmoid": "hard-sigmoid",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "prelu": "PReLU",
    "_prelu_kernel": "PReLU",
    "elu": "ELU",
    "selu": "SELU",
    "celu": "CELU",
    "mish": "Mish",
    "leaky_relu": "leaky ReLU",
    "rrelu": "RReLU",
    "softplus": "softplus",
    "softsign": "softsign",
    "log_sigmoid": "log-sigmoid",
    "log_sigmoid_forward": "log-sigmoid",
    "glu": "GLU",
    "hardshrink": "hard-shrink",
    "softshrink": "soft-shrink",
    "threshold": "threshold",
}

_NORMALISATIONS = {
    "batch_norm": "batch normalisation",
    "native_batch_norm": "batch normalisation",
    "cudnn_batch_norm": "batch normalisation",
    "_native_batch_norm_legit": "batch normalisation",
    "_native_batch_norm_legit_no_training": "batch normalisation",
    "layer_norm": "layer normalisation",
    "native_layer_norm": "layer normalisation",
    "group_norm": "group normalisation",
    "native_group_norm": "group normalisation",
    "instance_norm": "instance normalisation",
    "rms_norm": "RMS normalisation",
    "_fused_rms_norm": "RMS normalisation",
}

_RECURRENT = {"lstm": "LSTM", "gru": "GRU", "rnn_tanh": "RNN", "rnn_relu": "RNN"}


def describe(call: Call) -> Described:
    """Describe an operator; an unknown one becomes `other` with its ATen name."""
    known = _DESCRIPTIONS.get(call.name)
    return known(call) if known else _other(call.name)


def _other(name: str) -> Described:
    return Described("other", attributes={"name": name})


def _always(kind: Kind, **attributes: Attribute) -> Describe:
    described = Described(kind, attributes=attributes)
    return lambda call: described


def _convolution(call: Call) -> Described:
    transposed = "transpose" in call.name or bool(call.arguments.get("transposed"))
    weight, groups = call.shape("weight"), int(call.arguments["groups"])
    kernel = weight[2:]
    across = weight[1] * groups
    channels = (weight[0], across) if transposed else (across, weight[0])
    attributes: dict[str, Attribute] = {
        "kernel": kernel,
        "stride": _each(call.arguments["stride"], len(kernel)),
        "dilation": _each(call.arguments["dilation"], len(kernel)),
        "groups": groups,
        "in_channels": channels[0],
        "out_channels": channels[1],
        "transposed": transposed,
    }
    return Described("convolution", count_convolution(call, transposed=transposed), attributes)


def _each(value: Any, dimensions: int) -> tuple[int, ...]:
    """Return one value per dimension; a single value applies to all."""
    values = tuple(map(int, value)) if isinstance(value, Sequence) else (int(value),)
    return values * dimensions if len(values) == 1 else values


def _product_of(left: str, right: str) -> Describe:
    """Describe a matrix product: a linear layer unless both factors are computed."""

    def describe_product(call: Call) -> Described:
        return _product(call, call.shape(left)[-1], call.is_computed(left), call.is_computed(right))

    return describe_product


def _product(call: Call, contracted: int, *computed: bool) -> Described:
    counted = count_product(call, contracted)
    if sum(computed) > 1:
        return Described("product", counted)
    features = call.output[-1] if call.output else 1
    return Described("linear", counted, {"in_features": contracted, "out_features": features})


def _einsum(call: Call) -> Described:
    operands = call.arguments["tensors"]
    if len(operands) == 1:
        return Described("pass")
    contracted = contracted_size(call.arguments["equation"], operands)
    return _product(call, contracted, *(node in call.computed for node in operands))


def _attention(call: Call) -> Described:
    query, key, value = map(call.shape, ("query", "key", "value"))
    heads = math.prod(query[1:-2])
    attributes: dict[str, Attribute] = {"heads": heads, "head_channels": query[-1]}
    return Described("attention", count_attention(query, key, value), attributes)


def _clipping(low: str, high: str, name: str) -> Describe:
    """Describe a clamp: ReLU or ReLU6 if the arguments `low` and `high` are its bounds."""
    names: dict[tuple[object, object], str] = {(0, None): "ReLU", (0, 6): "ReLU6"}

    def describe_clipping(call: Call) -> Described:
        bounds = (call.arguments.get(low), call.arguments.get(high))
        return Described("activation", attributes={"name": names.get(bounds, name)})

    return describe_clipping


def _pool(name: str) -> Describe:
    def describe_pool(call: Call) -> Described:
        rank = len(call.output) - 2
        kernel = _each(call.arguments["kernel_size"], rank)
        stride = _each(call.arguments["stride"] or kernel, rank)
        return _pooling(name, kernel, stride, math.prod(call.output[2:]) == 1)

    return describe_pool


def _adaptive_pool(name: str) -> Describe:
    def describe_pool(call: Call) -> Described:
        before, after = call.shape("self")[-len(call.output) + 2 :], call.output[2:]
        kernel = tuple(-(-b // max(a, 1)) for b, a in zip(before, after, strict=True))
        return _pooling(name, kernel, kernel, math.prod(after) == 1)

    return describe_pool


def _pooling(name: str, kernel: Sequence[int], stride: Sequence[int], is_global: bool) -> Described:
    attributes: dict[str, Attribute] = {
        "name": name,
        "kernel": tuple(kernel),
        "stride": tuple(stride),
        "is_global": is_global,
    }
    return Described("pooling", attributes=attributes)


def _reduction(name: str) -> Describe:
    """Describe a mean or maximum: global pooling if it is over the spatial dimensions."""

    def describe_reduction(call: Call) -> Described:
        before = call.shape("self")
        dims = call.arguments.get("dim")
        dims = range(len(before)) if dims in (None, []) else dims
        dims = sorted(d % len(before) for d in (dims if isinstance(dims, Sequence) else [dims]))
        spatial = {3: ([1],), 4: ([2, 3], [1, 2]), 5: ([2, 3, 4], [1, 2, 3])}
        if dims not in spatial.get(len(before), ()):
            return _other(call.name)
        kernel = tuple(before[d] for d in dims)
        return _pooling(name, kernel, kernel, is_global=True)

    return describe_reduction


def _scaling(call: Call) -> Described:
    """Describe a division: a scaling unless the divisor is computed."""
    return _other("division") if call.is_computed("other") else Described("multiply")


def _selection(call: Call) -> Described:
    """Describe a selection of values by masks or indices."""
    values = [n for n in call.computed if n not in _choosers(call)]
    if not values:
        return Described("embedding")
    return Described("pass") if len(call.computed) == 1 else _other(call.name)


def _choosers(call: Call) -> list[Any]:
    chosen = [call.arguments.get(name) for name in ("condition", "mask", "indices", "index")]
    return [n for value in chosen for n in (value if isinstance(value, Sequence) else [value])]


def _joining(call: Call) -> Described:
    return Described("concatenation" if len(call.computed) > 1 else "pass")


_PRODUCTS = {
    "linear": ("input", "weight"),
    "addmm": ("mat1", "mat2"),
    "mm": ("self", "mat2"),
    "bmm": ("self", "mat2"),
    "matmul": ("self", "other"),
    "baddbmm": ("batch1", "batch2"),
    "mv": ("self", "vec"),
    "dot": ("self", "tensor"),
}

_CONVOLUTIONS = (
    *("conv1d", "conv2d", "conv3d", "convolution", "_convolution"),
    *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
)

_ATTENTIONS = (
    "scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
)

_RESIZES = (
    *(f"upsample_nearest{d}d" for d in (1, 2, 3)),
    *("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d", "upsample_bicubic2d"),
    *("_upsample_nearest_exact2d", "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa"),
)

_POOLS = {
    **{f"avg_pool{d}d": _pool("average") for d in (1, 2, 3)},
    **{f"max_pool{d}d": _pool("max") for d in (1, 2, 3)},
    **{f"max_pool{d}d_with_indices": _pool("max") for d in (2, 3)},
    **{f"adaptive_avg_pool{d}d": _adaptive_pool("average") for d in (1, 2, 3)},
    **{f"_adaptive_avg_pool{d}d": _adaptive_pool("average") for d in (2, 3)},
    **{f"adaptive_max_pool{d}d": _adaptive_pool("max") for d in (1, 2, 3)},
    "mean": _reduction("average"),
    "amax": _reduction("max"),
}

_DESCRIPTIONS: Mapping[str, Describe] = {
    **dict.fromkeys(_PASSES, _always("pass")),
    **dict.fromkeys(_CONVOLUTIONS, _convolution),
    **{name: _product_of(*factors) for name, factors in _PRODUCTS.items()},
    "einsum": _einsum,
    **dict.fromkeys(_ATTENTIONS, _attention),
    **{name: _always("normalisation", name=title) for name, title in _NORMALISATIONS.items()},
    **{name: _always("activation", name=title) for name, title in _ACTIVATIONS.items()},
    "hardtanh": _clipping("min_val", "max_val", "hard-tanh"),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max"), _clipping("min", "max", "clamp")),
    **_POOLS,
    **dict.fromkeys(("add", "sub", "rsub"), _always("add")),
    "mul": _always("multiply"),
    **dict.fromkeys(("div", "true_divide"), _scaling),
    "neg": _always("multiply"),
    **dict.fromkeys(("cat", "concat", "concatenate", "stack"), _joining),
    **dict.fromkeys(("softmax", "_softmax", "log_softmax", "_log_softmax"), _always("softmax")),
    **dict.fromkeys(("embedding", "embedding_bag", "_embedding_bag"), _always("embedding")),
    **dict.fromkeys(_RESIZES, _always("resize")),
    **dict.fromkeys(("index", "where", "masked_fill", "_unsafe_index"), _selection),
    **{name: _always("other", name=title) for name, title in _RECURRENT.items()},
}
