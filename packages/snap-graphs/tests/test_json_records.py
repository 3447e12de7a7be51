import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs.formats import json_records as module
from snap_graphs.formats.json_records import json_records

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@given(st.lists(values, max_size=6), st.sampled_from([None, 2]), st.booleans(), st.integers(1, 9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_block_size_yields_the_elements(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    records: list[Any],
    indent: int | None,
    ascii_only: bool,
    block: int,
) -> None:
    monkeypatch.setattr(module, "_BLOCK", block)
    path = write(tmp_path / "a.json", json.dumps(records, indent=indent, ensure_ascii=ascii_only))
    assert list(json_records(path)) == records


def test_the_arrays_of_an_object_follow_one_another(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", ' {"top": [1, {"x": 2}], "none": [], "mid" : [3]} \n')
    assert list(json_records(path)) == [1, {"x": 2}, 3]


def test_a_gzipped_file_reads_as_the_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b"[1, 2]"))
    assert list(json_records(path)) == [1, 2]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", r"expected '\{', found its end"),
        ("3", r"expected '\{', found '3'"),
        ("[1, 2", "expected ']', found its end"),
        ("[1, {", "Expecting property name"),
        ("[1,]", "Expecting value"),
        ("[1] [2]", "more data after its end"),
        ('{"a": 3}', r"expected '\[', found '3'"),
        ('{"a": [1]', r"expected '\}', found its end"),
        ("{3: [1]}", "key is not text"),
        ("[" + "[" * 100_000, "not JSON records"),
    ],
)
def test_what_is_no_array_of_records_is_refused_with_its_place(
    tmp_path: Path, text: str, fault: str
) -> None:
    path = write(tmp_path / "a.json", text)
    with pytest.raises(SnapError, match=fault) as caught:
        list(json_records(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'["\xff"]')
    with pytest.raises(SnapError, match="cannot be read as JSON"):
        list(json_records(path))


def test_an_endless_record_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 100)
    monkeypatch.setattr(module, "_LONGEST", 1000)
    path = write(tmp_path / "a.json", '["' + "x" * 100_000)
    with pytest.raises(SnapError, match="longer than 1,000 characters"):
        list(json_records(path))
