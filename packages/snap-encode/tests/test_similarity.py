import numpy as np
import pytest
from numpy.typing import NDArray
from snap_catalog import SnapError, corpus, operators
from snap_encode import nearest
from snap_encode.similarity import cosines, described


def test_what_is_described_is_found_with_where_it_is_catalogued() -> None:
    first, *others = nearest("Dilated convolution 5x5", k=3)
    assert first.cosine == pytest.approx(1, abs=1e-5)
    assert "darts:dil_conv_5x5" in first.operators
    assert first.description == "Dilated convolution 5x5"
    assert len(others) == 2
    assert 1 > others[0].cosine >= others[1].cosine


def test_an_operator_is_listed_once_and_all_are_listed_in_the_end() -> None:
    matches = nearest("Convolution 3x3", k=10_000)
    listed = [operator for match in matches for operator in match.operators]
    assert len(listed) == len(set(listed))
    expected = {f"{space}:{op.name}" for space, known in operators().items() for op in known}
    expected |= {f"{'torch.nn' if t.torch else 'corpus'}:{t.name}" for t in corpus().values()}
    assert set(listed) == expected


@pytest.mark.parametrize("name", ["nor_conv_3x3", "MaxPool2d"])
def test_an_operator_is_found_by_its_name(name: str) -> None:
    (first,) = nearest(name, k=1)
    assert name in {operator.partition(":")[2] for operator in first.operators}


def test_a_catalogued_operator_is_named_by_space_and_name() -> None:
    assert described("nb201:nor_conv_3x3", "short") == "Convolution 3x3"
    assert described("nb201:none", "medium") == "Doing nothing"


@pytest.mark.parametrize("text", ["Convolution 3x3", "pool: 3x3", "nb999:conv", ":", ""])
def test_any_other_text_stands_for_itself(text: str) -> None:
    assert described(text, "short") == text


def test_an_operator_that_the_space_does_not_have_is_reported_with_those_it_has() -> None:
    with pytest.raises(SnapError, match="'nb201' has no operator 'conv'; it has input, none"):
        described("nb201:conv", "short")


def test_cosines_do_not_depend_on_length() -> None:
    vectors: NDArray[np.float32] = np.array([[3, 0], [1, 1], [-2, 0]], np.float32)
    expected = [[1, 0.5**0.5, -1], [0.5**0.5, 1, -(0.5**0.5)]]
    np.testing.assert_allclose(cosines(vectors[:2], vectors), expected, atol=1e-6)
