import os
import pickle
from pathlib import Path

import pytest
from snap_catalog import SnapError
from snap_graphs.pickles import Record, load_pickle


class Planted:
    """A pickle of this would run a command when loaded without care."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


class Stored:
    """A harmless class of somebody else's package."""

    def __init__(self) -> None:
        self.value = 3.5


class Stand(Record):
    """Stands in for Stored."""


def test_a_pickle_that_would_run_a_command_is_refused_by_name_and_runs_nothing(
    tmp_path: Path,
) -> None:
    path, mark = tmp_path / "evil.pkl", tmp_path / "mark"
    path.write_bytes(pickle.dumps({"data": Planted(mark)}))
    with pytest.raises(SnapError, match=r"evil\.pkl: refused.*posix\.system.*not admitted"):
        load_pickle(path, {})
    assert not mark.exists()


def test_an_admitted_class_becomes_an_inert_record(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps([Stored(), {"a": 1}]))
    record, plain = load_pickle(path, {(Stored.__module__, "Stored"): Stand})
    assert (type(record), record.value, plain) == (Stand, 3.5, {"a": 1})


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps([1.5] * 99)[:50]])
def test_a_damaged_pickle_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.pkl"
    path.write_bytes(content)
    with pytest.raises(SnapError, match=r"damaged\.pkl: refused as a pickle"):
        load_pickle(path, {})


def test_a_pickle_of_another_layout_is_refused(tmp_path: Path) -> None:
    from snap_graphs.analog import read_analog

    path = tmp_path / "other.pkl"
    path.write_bytes(pickle.dumps({(0, 1): 2}))
    with pytest.raises(SnapError, match="not laid out as analog-nasbench"):
        read_analog(path)
