from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_encode.operator_file import read_operators


def _file(folder: Path, content: str | bytes) -> Path:
    path = folder / "ops.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_line_is_a_name_and_a_description_or_both_in_one(tmp_path: Path) -> None:
    path = _file(tmp_path, "conv7x7\tConvolution 7x7\nMax pooling 5x5\n")
    assert read_operators(path) == {
        "conv7x7": "Convolution 7x7",
        "Max pooling 5x5": "Max pooling 5x5",
    }


def test_comments_blank_lines_and_outer_spaces_do_not_count(tmp_path: Path) -> None:
    path = _file(tmp_path, "# list\n\n   \n \t \n  # more\n a \t b # c \nlast")
    assert read_operators(path) == {"a": "b # c", "last": "last"}


def test_what_is_said_twice_in_the_same_words_counts_once(tmp_path: Path) -> None:
    path = _file(tmp_path, "a\tb\nc\nc\na \t b\n")
    assert read_operators(path) == {"a": "b", "c": "c"}


def test_every_script_is_read(tmp_path: Path) -> None:
    path = _file(tmp_path, "Faltung\tFaltung für Bilder 3x3\n卷积\t三乘三卷积\n")
    assert read_operators(path) == {"Faltung": "Faltung für Bilder 3x3", "卷积": "三乘三卷积"}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_newline_and_a_byte_order_mark_are_read(tmp_path: Path, newline: str) -> None:
    path = _file(tmp_path, f"\ufeffa\tb{newline}c\td{newline}")
    assert read_operators(path) == {"a": "b", "c": "d"}


def test_a_line_separator_inside_a_description_ends_no_line(tmp_path: Path) -> None:
    path = _file(tmp_path, "a\tone\u2028two\nb\tc\td")
    with pytest.raises(SnapError, match=r"ops\.txt:2: 2 tabs"):
        read_operators(path)


def test_a_line_of_ten_thousand_characters_is_read(tmp_path: Path) -> None:
    assert list(read_operators(_file(tmp_path, "x" * 10_000))) == ["x" * 10_000]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\nc\td\te\n", r"ops\.txt:2: 2 tabs in 'c\\td\\te'; write name<TAB>description"),
        ("# x\n\tb\n", r"ops\.txt:2: no name before the tab in '\\tb'; add one"),
        ("a\t  \n", r"ops\.txt:1: no description after the tab in 'a\\t  '; add one"),
        ("a\tb\n\nc\na\td\n", r"txt:4: operator 'a' has another description on line 1; rename"),
        ("a\n" + "x" * 10_001, r"ops\.txt:2: a line of 10,001 characters; shorten it to 10,000"),
        ("", r"ops\.txt: contains no operator; write one per line"),
        ("# only\n\n", r"ops\.txt: contains no operator"),
        (b"a\nb\n\xff\xfe", r"ops\.txt:3: not UTF-8 text; save the file"),
        (b"a\n\0\0b", r"ops\.txt:2: not UTF-8 text"),
        ("a\tb\n".encode("utf-16"), r"ops\.txt:1: not UTF-8 text"),
    ],
)
def test_a_bad_line_is_reported_by_its_number(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(SnapError, match=message) as caught:
        read_operators(_file(tmp_path, content))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250 + len(str(tmp_path))


def test_a_file_that_cannot_be_read_is_reported_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SnapError, match=r"gone\.txt: cannot be read \(no such file"):
        read_operators(tmp_path / "gone.txt")
    with pytest.raises(SnapError, match=r"cannot be read \(is a directory"):
        read_operators(tmp_path)


_WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30).filter(
    lambda text: not text.startswith("#")
)


@given(st.dictionaries(_WORDS, _WORDS, min_size=1, max_size=20))
def test_what_is_written_as_name_and_description_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, descriptions: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("list") / "ops.txt"
    path.write_text("".join(f"{k}\t{v}\n" for k, v in descriptions.items()), "utf-8")
    assert list(read_operators(path).items()) == list(descriptions.items())
