import os

import pytest
from snap_catalog import SnapError
from snap_evo.aside import Aside


def add(one: int, two: int) -> int:
    return one + two


def refuse() -> int:
    raise SnapError("no such thing")


def vanish() -> int:
    os._exit(1)


def test_a_call_is_made_in_another_process() -> None:
    assert Aside(os.getpid).result() != os.getpid()


def test_the_result_comes_back() -> None:
    assert Aside(add, 2, 3).result() == 5


def test_an_expected_failure_keeps_its_words() -> None:
    with pytest.raises(SnapError, match=r"^no such thing$"):
        Aside(refuse).result()


def test_a_process_that_ends_without_a_result_is_told_of() -> None:
    with pytest.raises(SnapError, match="came to an end; run this again"):
        Aside(vanish).result()
