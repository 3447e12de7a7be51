from pathlib import Path

import pytest
from snap_catalog import SnapError
from snap_catalog.definition import described_operators, parse, read_text, space_name

TEXT = 'name = "mine"\n[operators]\nconv = "Convolution  3x3"\n"pool.2" = "Max pooling"\n'


def test_a_definition_names_its_space_and_describes_its_operators(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(TEXT)
    entries = parse(read_text(tmp_path / "mine.toml"), "mine.toml")
    assert space_name(entries, "mine.toml", ["nb201"]) == "mine"
    assert described_operators(entries, "mine.toml") == {
        "conv": "Convolution 3x3",
        "pool.2": "Max pooling",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a" + ".a" * 20_000 + " = 1", r"not TOML \(it is nested more than 16 levels deep"),
        ("[a" + " . 'a'" * 9_000 + "]", r"not TOML \(it is nested more than 16 levels deep"),
        ("x = " + "[" * 60_000, r"not TOML \(it is nested more than 16 levels deep"),
        ("x = " + "{a=" * 20_000, r"not TOML \(it is nested more than 16 levels deep"),
        ("a" * 2**16, "not TOML"),
        ("a " * 2**15, "not TOML"),
        ("#" * (2**16 + 1), "larger than 64 KiB"),
        ("x = " + "9" * 5_000, "not TOML"),
    ],
    ids=lambda text: text[:12],
)
def test_nesting_and_size_are_refused_at_once(text: str, problem: str) -> None:
    with pytest.raises(SnapError, match=f"^mine.toml: {problem}"):
        parse(text, "mine.toml")


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SnapError, match=r"mine\.toml: (no such file|cannot be read)"):
        read_text(path)
