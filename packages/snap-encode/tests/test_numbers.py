from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_encode.reading.numbers import GUESSED, IMPLIED, STATED, numbers

_WRITTEN = {
    "3x3 conv": {"kernel": 3},
    "conv 3 x 3": {"kernel": 3},
    "conv_3x3": {"kernel": 3},
    "3\u00d73": {"kernel": 3},
    "3 by 3": {"kernel": 3},
    "three by three": {"kernel": 3},
    "fünf mal fünf": {"kernel": 5},
    "k3": {"kernel": 3},
    "k=3": {"kernel": 3},
    "kernel_size=3": {"kernel": 3},
    "kernel_size=(3, 3)": {"kernel": 3},
    "kernel size of three and stride two": {"kernel": 3, "stride": 2},
    "a 3-wide window": {"kernel": 3},
    "conv3": {"kernel": 3},
    "c33": {"kernel": 3},
    "a pixel and its eight neighbours": {"kernel": 3},
    "window of nine pixels": {"kernel": 3},
    "reaches 2 pixels to each side": {"kernel": 5},
    "Faltung mit einem Kern der Größe 5": {"kernel": 5},
    "noyau de taille 3": {"kernel": 3},
    "卷积核大小为 3": {"kernel": 3},
    "k5s2": {"kernel": 5, "stride": 2},
    "conv3x3/2": {"kernel": 3, "stride": 2},
    "7x7, 64, /2": {"kernel": 7, "stride": 2},
    "strided by 2": {"stride": 2},
    "步长为 2": {"stride": 2},
    "atrous rate of 4": {"dilation": 4},
    "dwsep5x5_d2": {"kernel": 5, "dilation": 2},
    "8 groups": {"groups": 8},
    "g=32": {"groups": 32},
    "MBConv6": {"expansion": 6},
    "expand ratio of 4": {"expansion": 4},
    "conv3x3 with 128 channels": {"kernel": 3},
    "64 filters of 3x3": {"kernel": 3},
    "padding 1, kernel 3": {"kernel": 3},
    "2D convolution": {},
    "version 2 of the block": {},
    "ResNet-50": {},
    "kernel 0": {},
    "0x0": {},
    "nothing of the kind": {},
    "": {},
}


@pytest.mark.parametrize(("text", "expected"), _WRITTEN.items(), ids=_WRITTEN)
def test_numbers_are_read_in_every_notation(text: str, expected: dict[str, int]) -> None:
    assert numbers(text).values == expected


_KERNELS = (
    *("k={k}", "k{k}", "{k}x{k}", "{k} x {k}", "{k}\u00d7{k}", "{k} by {k}", "{k}-by-{k}"),
    *("kernel_size={k}", "kernel_size=({k}, {k})", "kernel size {k}", "window of {k}"),
)
_STRIDES = ("stride {s}", "stride={s}", "s={s}", "strides={s}", "stride of {s}")
_DILATIONS = ("dilation {d}", "dilation={d}", "dilation_rate={d}", "dilation rate of {d}")


@given(
    st.permutations([0, 1, 2]),
    st.tuples(*map(st.sampled_from, (_KERNELS, _STRIDES, _DILATIONS))),
    st.sampled_from((", ", " ", " with ", "; ")),
    st.tuples(st.integers(1, 31), st.integers(1, 9), st.integers(1, 9)),
)
def test_any_kernel_stride_and_dilation_are_read_back(
    order: list[int], forms: tuple[str, ...], between: str, values: tuple[int, int, int]
) -> None:
    kernel, stride, dilation = values
    parts = between.join(forms[place] for place in order)
    text = f"conv {parts}".format(k=kernel, s=stride, d=dilation)
    assert numbers(text).values == {"kernel": kernel, "stride": stride, "dilation": dilation}


@given(st.integers(1, 15), st.integers(1, 15))
def test_height_and_width_of_a_window_are_told_apart(height: int, width: int) -> None:
    found = numbers(f"convolution {height}x{width}")
    assert found.values["kernel"] == height
    assert (found.width or height) == width


@pytest.mark.parametrize(
    ("text", "sure"),
    [("kernel 3", STATED), ("its eight neighbours", IMPLIED), ("convolution; 3", GUESSED)],
)
def test_a_number_is_the_surer_the_plainer_it_is_written(text: str, sure: float) -> None:
    assert numbers(text).sure == {"kernel": sure}


def test_single_positions_are_noticed() -> None:
    assert numbers("a pointwise convolution").pointwise
    assert not numbers("a convolution").pointwise


@pytest.mark.parametrize("piece", ["3", "三", "3x", "skip", "growa", "dilated ", "(1", "3 组"])
def test_long_texts_are_read_within_a_second(piece: str) -> None:
    start = perf_counter()
    numbers((piece * 10_000)[:10_000])
    assert perf_counter() - start < 1
