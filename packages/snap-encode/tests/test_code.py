import warnings
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_encode.reading.code import Call, calls, main_layer


def _main(text: str) -> Call:
    call = main_layer(calls(text))
    assert call is not None
    return call


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("nn.Conv2d(16, 32, 3)", "convolution", {"kernel": 3}),
        ("nn.Conv2d(c, c, 5, 2, 2, 3, 4)", "convolution", {"kernel": 5, "stride": 2}),
        ("torch.nn.Conv2d(c, c, kernel_size=(7, 7))", "convolution", {"kernel": 7}),
        ("nn.LazyConv2d(32, 3, stride=2)", "convolution", {"kernel": 3, "stride": 2}),
        ("F.conv2d(x, w, stride=2)", "convolution", {"stride": 2}),
        ("nn.ConvTranspose2d(8, 8, 4, 2)", "transposed_convolution", {"kernel": 4, "stride": 2}),
        ("nn.MaxPool2d(3, stride=1, padding=1)", "max_pooling", {"kernel": 3, "stride": 1}),
        ("F.avg_pool2d(x, 5, 1)", "average_pooling", {"kernel": 5, "stride": 1}),
        ("Conv2D(32, (3, 3), dilation_rate=2)", "convolution", {"kernel": 3, "dilation": 2}),
        ("layers.SeparableConv2D(64, 5)", "separable_convolution", {"kernel": 5}),
        ("MaxPooling2D(pool_size=2, strides=2)", "max_pooling", {"kernel": 2, "stride": 2}),
        ("nn.Identity()", "identity", {}),
        ("nn.Linear(10, 20)", "linear", {}),
    ],
)
def test_layers_of_libraries_are_known_with_their_arguments(
    text: str, kind: str, expected: dict[str, int]
) -> None:
    call = _main(text)
    assert call.layer is not None
    assert call.layer.kind == kind
    assert expected.items() <= call.numbers.items()


@pytest.mark.parametrize("groups", ["groups=c", "groups=x.shape[1]", "c, groups=c"])
def test_a_group_a_channel_makes_a_convolution_depthwise(groups: str) -> None:
    channels = "c" if "c" in groups else "x.shape[1]"
    assert _main(f"nn.Conv2d({channels}, 32, 3, {groups})".replace(", c,", ",")).depthwise


def test_a_single_group_makes_no_convolution_depthwise() -> None:
    assert not _main("nn.Conv2d(1, 8, 3, groups=1)").depthwise
    assert not _main("nn.Conv2d(16, 8, 3, groups=4)").depthwise


def test_height_and_width_of_a_kernel_are_told_apart() -> None:
    call = _main("nn.Conv2d(c, c, (1, 7))")
    assert (call.numbers["kernel"], call.width) == (1, 7)


def test_what_goes_with_a_layer_does_not_count_next_to_it() -> None:
    text = "nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, 3), nn.BatchNorm2d(c))"
    assert _main(text).numbers == {"kernel": 3}
    assert _main("nn.Sequential(nn.BatchNorm2d(c))").name == "BatchNorm2d"


def test_a_depthwise_and_a_pointwise_convolution_are_one_separable_one() -> None:
    call = _main("nn.Sequential(nn.Conv2d(c, c, 5, groups=c), nn.Conv2d(c, d, 1))")
    assert call.layer is not None
    assert call.layer.kind == "separable_convolution"
    assert call.numbers["kernel"] == 5


def test_code_about_several_layers_is_about_none_of_them() -> None:
    assert main_layer(calls("nn.MaxPool2d(3)(x) + nn.Conv2d(c, c, 3)(x)")) is None


def test_blocks_of_anybodys_are_read_by_their_arguments() -> None:
    (call,) = calls("ReLUConvBN(C, C, 3, 1, 1)")
    assert call.layer is None
    assert call.numbers["kernel"] == 3


def test_calls_are_listed_in_the_order_of_their_names() -> None:
    assert [call.name for call in calls("nn.ReLU()(nn.Conv2d(nn.Identity(), 2, 3))")] == [
        *("ReLU", "Conv2d", "Identity"),
    ]


_HOSTILE = {
    "open brackets": "(" * 10_000,
    "open calls": "a(" * 5_000,
    "nested calls": "f(" * 3_300 + ")" * 3_300,
    "nested layers": "Conv2d(" * 1_200 + ")" * 1_200,
    "nested lists": "nn.Conv2d(" + "[" * 4_990 + "]" * 4_990 + ")",
    "closed brackets": "nn.Conv2d)" * 1_000,
    "crossed brackets": "nn.Conv2d(c, [3)]" * 500,
    "a long name": "x" * 10_000,
    "a long path": "a." * 5_000 + "(",
    "attributes": "f(a" + ".a" * 4_990 + ")",
    "signs": "f(" + "-" * 9_990 + "1)",
    "a long number": "nn.Conv2d(c, c, " + "3" * 9_000 + ")",
    "many layers": "nn.Conv2d(c, c, 3) " * 500,
    "null bytes": "nn.Conv2d(c,\0c, 3)",
    "blanks": "nn.Conv2d" + " " * 9_000 + "(c, c, 3)",
    "a star": "nn.Conv2d(*args, **kwargs)",
    "a lone surrogate": "nn.Conv2d('\ud800')",
}


@pytest.mark.parametrize("text", _HOSTILE.values(), ids=_HOSTILE)
def test_hostile_code_is_read_within_a_second(text: str) -> None:
    start = perf_counter()
    main_layer(calls(text))
    assert perf_counter() - start < 1


@given(st.text(alphabet="nConv2d(),[]{}=:*'\"\\\n .x3#-", max_size=60))
def test_no_text_is_refused(text: str) -> None:
    assert isinstance(calls(f"nn.Conv2d({text})"), list)


def test_code_that_python_warns_of_is_read_in_silence() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert calls(r"nn.Conv2d(c, c, 3, name='\d')")
