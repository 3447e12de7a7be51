import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from snap_encode.cli import main


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_matrix_is_printed_under_numbers_that_the_rows_bear() -> None:
    model = ("--model", "all-MiniLM-L6-v2")
    result = _run("similarity", "maxpool", "avgpool", "conv2x2", *model, "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    heading, *rows = (line.split() for line in result.stdout.splitlines())
    assert heading == ["1", "2", "3"]
    assert [row[:2] for row in rows] == [["1", "maxpool"], ["2", "avgpool"], ["3", "conv2x2"]]
    assert rows[0][2:] == ["1.000", "0.291", "0.228"]  # paper, Table 8


def test_the_matrix_is_printed_as_json_and_names_stand_for_descriptions() -> None:
    result = _run("similarity", "nb201:none", "None", "[bold]卷积", "--json", "--quiet")
    shown = json.loads(result.stdout)
    assert shown["texts"] == ["nb201:none", "None", "[bold]卷积"]
    assert shown["cosine"][0][1] == pytest.approx(1, abs=1e-6)
    assert shown["cosine"][2][0] == pytest.approx(shown["cosine"][0][2])
    longer = _run("similarity", "nb201:none", "None", "--length", "long", "--json", "--quiet")
    assert json.loads(longer.stdout)["cosine"][0][1] < 0.9


def test_texts_are_printed_as_they_are() -> None:
    assert "[bold]卷积" in _run("similarity", "[bold]卷积", "b").stdout


def test_equal_runs_draw_equal_heat_maps_with_the_values_in_them() -> None:
    texts = ["maxpool", "avgpool", "卷积 3x3"]
    for out in ("a.svg", "b.svg", "c.png"):
        assert _run("similarity", *texts, "-o", out).exit_code == 0
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()
    drawn = Path("a.svg").read_text("utf-8")
    assert all(text in drawn for text in (">0.48<", ">卷积 3x3<"))
    assert Path("c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("similarity",), "Missing argument"),
        (("similarity", "alone"), "give at least two texts"),
        (("similarity", "a", "b", "-o", "map.pdf"), "map.pdf: unknown format; use .svg or"),
        (("nearest",), "Missing argument 'TEXT'"),
        (("nearest", "a", "-k", "0"), "0 is not in the range x>=1"),
    ],
)
def test_misuse_exits_with_2(arguments: tuple[str, ...], message: str) -> None:
    result = _run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nb201:conv", "b"), "Error: 'nb201' has no operator 'conv'; it has input"),
        (("a", "b", "-o", "gone/map.svg"), "Error: gone/map.svg: cannot write here"),
    ],
)
def test_what_cannot_be_done_exits_with_1(arguments: tuple[str, ...], message: str) -> None:
    result = _run("similarity", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 1


def test_the_nearest_operators_are_printed_with_their_descriptions() -> None:
    result = _run("nearest", "Dilated convolution 5x5", "-k", "2", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    heading, first, *_ = result.stdout.splitlines()
    assert heading.split() == ["cosine", "operator", "description"]
    assert "1.000" in first
    assert "darts:dil_conv_5x5" in first
    assert "Dilated convolution 5x5" in first


def test_the_nearest_operators_are_printed_as_json() -> None:
    shown = json.loads(_run("nearest", "Convolution 3x3", "-k", "3", "--json").stdout)
    assert [list(match) for match in shown] == [["cosine", "operators", "description"]] * 3
    assert "nb201:nor_conv_3x3" in shown[0]["operators"]
