from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from snap_encode import OperatorEncoder, Reading


@pytest.fixture(scope="module")
def operators() -> OperatorEncoder:
    return OperatorEncoder()


def _unsure(text: str, kind: float) -> Reading:
    return Reading(text, "max_pooling", (3, 3), confidence={"kind": kind}, sentence="Max pooling")


@pytest.mark.parametrize(
    "texts",
    [
        ("Convolution 3x3", "conv 3 by 3", "nn.Conv2d(c, c, 3, padding=1)", "3x3-Faltung"),
        ("Max pooling 3x3", "maxpool, kernel size 3", "MaxPooling2D(3)", "最大池化 3x3"),
        ("dwsep5x5", "SeparableConv2D(64, 5)", "depthwise separable convolution, 5 by 5"),
    ],
    ids=lambda texts: str(texts[0]),
)
def test_equal_meanings_have_exactly_the_same_vector(
    operators: OperatorEncoder, texts: Sequence[str]
) -> None:
    first, *others = operators.encode(texts)
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_a_sure_reading_has_the_vector_of_its_sentence(operators: OperatorEncoder) -> None:
    (vector,) = operators.encode(["a 5 by 5 average pooling layer"])
    np.testing.assert_array_equal(vector, operators.words.encode(["Average pooling 5x5"])[0])


def test_kernels_in_one_sentence_are_told_apart(operators: OperatorEncoder) -> None:
    vectors = operators.encode([f"a convolution with a {k} by {k} window" for k in (1, 3, 5, 7)])
    assert len(np.unique(vectors, axis=0)) == 4


def test_an_unreadable_text_has_the_vector_of_its_words(operators: OperatorEncoder) -> None:
    (vector,) = operators.vectors([_unsure("blorb", 0.1)])
    np.testing.assert_allclose(vector, operators.words.encode(["blorb"])[0], atol=1e-6)


def _angle(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(np.arccos(np.clip(first @ second, -1, 1)))


def test_the_surer_a_reading_is_the_nearer_is_its_vector_to_the_meaning(
    operators: OperatorEncoder,
) -> None:
    readings = [_unsure("blorb", kind) for kind in (0.3, 0.35, 0.4, 0.45, 0.5)]
    vectors = operators.vectors(readings)
    meant, said = operators.words.encode(["Max pooling", "blorb"])
    to_meaning = [_angle(vector, meant) for vector in vectors]
    assert to_meaning == sorted(to_meaning, reverse=True)
    assert to_meaning[2] == pytest.approx(_angle(vectors[2], said), abs=1e-3)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_blend_depends_on_no_other_text(operators: OperatorEncoder) -> None:
    readings = [_unsure("blorb", 0.4), _unsure("pooled", 0.9), _unsure("blorb", 0.1)]
    together = operators.vectors(readings)
    alone = np.concatenate([operators.vectors([each]) for each in readings])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_no_text_has_no_vector(operators: OperatorEncoder) -> None:
    assert operators.encode([]).shape == (0, 384)
