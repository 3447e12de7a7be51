from typing import get_args

import pytest
from snap_catalog import operators
from snap_catalog.catalog import Length

_LENGTHS: tuple[Length, ...] = get_args(Length)

_TABLE_1 = {
    "none": ("None", "Doing nothing", "A none operator that does nothing"),
    "skip_connect": (
        "Residual connection",
        "Identity mapping to the next layer",
        "A residual connection operator that adds identity mapping to the next layer",
    ),
    "nor_conv_3x3": (
        "Convolution 3x3",
        "Convolution 3 by 3 kernel, Batchnorm, ReLU",
        "A two-dimensional convolutional operator with a kernel size of 3 by 3 is applied, "
        "succeeded by a batch normalization layer, and followed by a rectified linear layer",
    ),
    "nor_conv_1x1": (
        "Convolution 1x1",
        "Convolution 1 by 1 kernel, Batchnorm, ReLU",
        "A two-dimensional convolutional operator with a kernel size of 1 by 1 is applied, "
        "succeeded by a batch normalization layer, and followed by a rectified linear layer",
    ),
    "avg_pool_3x3": (
        "Average pooling 3x3",
        "Average pooling 3 by 3 kernel",
        "A average pooling operator with a kernel size 3 by 3",
    ),
}

# What one space calls by another name than NAS-Bench-201 does.
_SYNONYMS = {
    "conv3x3-bn-relu": "nor_conv_3x3",
    "conv3x3": "nor_conv_3x3",
    "conv1x1-bn-relu": "nor_conv_1x1",
    "conv1x1": "nor_conv_1x1",
    "maxpool3x3": "max_pool_3x3",
}


def test_nas_bench_201_has_the_descriptions_of_the_papers_table_1() -> None:
    described = {
        operator.name: tuple(operator.descriptions[length] for length in _LENGTHS)
        for operator in operators()["nb201"]
        if operator.name not in ("input", "output")
    }
    assert described == _TABLE_1


@pytest.mark.parametrize("space", operators())
def test_every_operator_has_three_descriptions_that_no_other_of_its_space_has(space: str) -> None:
    texts: list[str] = []
    for operator in operators()[space]:
        assert set(operator.descriptions) == set(_LENGTHS), operator.name
        texts += operator.descriptions.values()
    assert all(text and text == text.strip() for text in texts)
    assert len({text.casefold() for text in texts}) == len(texts)


@pytest.mark.parametrize("space", operators())
def test_every_space_names_its_operators_once_and_has_input_and_output(space: str) -> None:
    names = [operator.name for operator in operators()[space]]
    assert len(set(names)) == len(names)
    assert {"input", "output"} < set(names)


def test_the_same_operator_is_described_alike_in_every_space() -> None:
    described: dict[str, dict[Length, str]] = {}
    for known in operators().values():
        for operator in known:
            name = _SYNONYMS.get(operator.name, operator.name)
            texts = dict(operator.descriptions)
            assert described.setdefault(name, texts) == texts, operator
