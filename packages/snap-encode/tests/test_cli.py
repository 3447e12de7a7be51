import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from snap_catalog import operators, parquet
from snap_encode.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of every test, with a list in another one."""
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "ops.v2.txt").write_text("conv7x7\tConvolution 7x7\nMax pooling 5x5\n")
    monkeypatch.chdir(here)
    return here


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_list_is_encoded_without_a_subcommand_to_the_current_folder(folder: Path) -> None:
    result = _run("../ops.v2.txt")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "ops.v2.parquet: 2 operators" in result.stderr
    assert [file.name for file in folder.iterdir()] == ["ops.v2.parquet"]
    table = parquet.read("ops.v2.parquet", "operators")
    assert table["op"].to_pylist() == ["conv7x7", "Max pooling 5x5"]
    assert table["space"].null_count == 2


def test_equal_runs_write_equal_bytes_and_quiet_ones_print_nothing(tiny: Path) -> None:
    for output in ("a.parquet", "b.parquet"):
        result = _run("encode", "../ops.v2.txt", "-o", output, "--model", tiny, "--quiet")
        assert (result.exit_code, result.output) == (0, "")
    assert Path("a.parquet").read_bytes() == Path("b.parquet").read_bytes()


_POISON = "raise ImportError('loaded for nothing')"
_TOOL = "from snap_encode.cli import main; main()"


@pytest.mark.parametrize("model", ["all-MiniLM-L6-v2", "MiniLM-64", "tiny"])
def test_a_second_run_loads_neither_torch_nor_pandas(
    folder: Path, tiny: Path, cache: Path, tmp_path: Path, model: str
) -> None:
    name = str(tiny) if model == "tiny" else model
    assert _run("../ops.v2.txt", "-o", "first.parquet", "--model", name).exit_code == 0
    heavy = ("torch", "pandas", "transformers", "sentence_transformers", "huggingface_hub", "peft")
    for module in heavy:
        (tmp_path / "poison" / module).mkdir(parents=True)
        (tmp_path / "poison" / module / "__init__.py").write_text(_POISON)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from snap_encode.cli import main; main()",
            "../ops.v2.txt",
            "--model",
            name,
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "poison")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("ops.v2.parquet: 2 operators\n")
    assert Path("ops.v2.parquet").read_bytes() == Path("first.parquet").read_bytes()


def test_catalogued_spaces_share_a_file(tiny: Path) -> None:
    spaces = ("--space", "nb201", "--space", "darts")
    result = _run(*spaces, "--length", "medium", "--model", tiny)
    assert result.exit_code == 0
    table = parquet.read("operators.parquet", "operators")
    expected = [op.descriptions["medium"] for s in ("nb201", "darts") for op in operators()[s]]
    assert table["text"].to_pylist() == expected
    assert parquet.decode_metadata(table.schema)["snap.length"] == "medium"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give either FILE or --space"),
        (("../ops.v2.txt", "--space", "nb201"), "give either FILE or --space"),
        (("../ops.v2.txt", "--length", "long"), "--length applies to --space"),
        (("--space", "../mine.toml", "--length", "long"), "--length applies to --space NAME"),
        (("--space", "../mine.toml", "-o", "../mine.toml"), "is also the input"),
        (("--space", "nb201", "--as-written"), "--as-written applies to FILE"),
        (("similarity", "a", "b", "--length", "long"), "--length applies to SPACE:NAME"),
        (("nearest", "a", "-k", "nan"), "'nan' is not a valid integer"),
        (("nearest", "a", "-k", "0"), "0 is not in the range"),
        (("tune", "--out", "x", "--seed", "-1"), "-1 is not in the range"),
        (("tune", "--out", "x", "--seed", "inf"), "'inf' is not a valid integer"),
        (("../ops.v2.txt", "-o", "../here/../ops.v2.txt"), "is also the input"),
    ],
)
def test_misuse_exits_with_2_and_leaves_files_alone(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    before = Path("../ops.v2.txt").read_bytes()
    result = _run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert Path("../ops.v2.txt").read_bytes() == before
    assert list(folder.iterdir()) == []


_OWN = """
name = "mine"
nodes = 3
edges = "all"
[operators]
conv = "Convolution  3x3"
pool = "Max pooling"
"""


def test_a_space_of_ones_own_is_encoded_from_its_file(folder: Path, tiny: Path) -> None:
    Path("../mine.toml").write_text(_OWN)
    spaces = ("--space", "../mine.toml", "--space", "nb201")
    assert _run(*spaces, "--model", tiny, "--quiet").exit_code == 0
    table = parquet.read("operators.parquet", "operators")
    rows = list(zip(*(table[c].to_pylist() for c in ("space", "op", "text")), strict=True))
    assert rows[:4] == [
        ("mine", "input", "Input"),
        ("mine", "output", "Output"),
        ("mine", "conv", "Convolution 3x3"),
        ("mine", "pool", "Max pooling"),
    ]
    assert {space for space, _, _ in rows[4:]} == {"nb201"}


def test_only_the_operators_of_a_file_are_read(folder: Path) -> None:
    Path("../mine.toml").write_text(_OWN)
    result = _run("--space", "../mine.toml", "--space", "nb201")
    table = parquet.read("operators.parquet", "operators")
    read = {row["op"]: row["reading"] for row in table.to_pylist() if row["reading"]}
    assert read == {
        "conv": "convolution, kernel 3x3",
        "pool": "max pooling, kernel 3x3 (assumed)",
    }
    reported = [line.strip() for line in result.stderr.splitlines() if ": read as " in line]
    assert [line.partition(":")[0] for line in reported] == ["conv", "pool"]
    assert reported[0].endswith("; check")


def test_words_are_encoded_as_written_if_asked_for(tiny: Path) -> None:
    result = _run("../ops.v2.txt", "--as-written", "--model", tiny)
    assert result.exit_code == 0
    assert "read as" not in result.stderr
    assert "reading" not in parquet.read("ops.v2.parquet", "operators").column_names


def test_its_graphs_are_read_with_these_vectors(folder: Path) -> None:
    pytest.importorskip("snap_graphs")
    predictor = pytest.importorskip("snap_gcn.predictor").Predictor.bundled()
    Path("../mine.toml").write_text(_OWN)
    assert _run("--space", "../mine.toml", "--quiet").exit_code == 0
    operators = parquet.read("operators.parquet", "operators")
    home = import_module("snap_graphs").space("../mine.toml")
    graphs = import_module("snap_graphs").graph_table(home, list(home.enumerate()))
    bare = graphs.replace_schema_metadata(None)
    scores = predictor.with_operators(operators).score(bare)
    np.testing.assert_allclose(scores, predictor.score(graphs), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "../mine.toml: not TOML (Invalid value"),
        ('name = "nb201"\n[operators]\na = "b"', "is the name of a known space"),
        ('name = "mine"', "../mine.toml: operators must describe one operator per line"),
        ('name = "mine"\n[operators]\na = 1', "operators.a = 1 must be a description"),
        ('name = "mine"\n[operators]\ninput = "b"', "operators.input: is a node of every cell"),
        ('[operators]\na = "b"', "../mine.toml: name must be a name of letters"),
        (
            "a" + ".a" * 20_000 + " = 1",
            "../mine.toml: not TOML (it is nested more than 16 levels deep)",
        ),
        ("x = " + "[" * 60_000, "../mine.toml: not TOML (it is nested more than 16 levels deep)"),
        ("#" * 70_000, "../mine.toml: larger than 64 KiB"),
        (None, "../mine.toml: no such file"),
    ],
    ids=lambda text: str(text)[:30],
)
def test_a_file_that_defines_no_space_exits_with_1(
    folder: Path, text: str | None, message: str
) -> None:
    if text is not None:
        Path("../mine.toml").write_text(text)
    _assert_failed(_run("--space", "../mine.toml"), message)
    assert list(folder.iterdir()) == []


def test_an_unknown_space_exits_with_1(folder: Path) -> None:
    _assert_failed(_run("--space", "nb999"), "unknown search space 'nb999'; the catalog has darts")
    assert list(folder.iterdir()) == []


def test_two_files_that_define_one_space_are_refused(folder: Path) -> None:
    for name in ("mine", "copy"):
        Path(f"../{name}.toml").write_text(_OWN)
    result = _run("--space", "../mine.toml", "--space", "../copy.toml")
    _assert_failed(result, "../copy.toml: defines mine, which ../mine.toml defines too; rename one")


def _assert_failed(result: Result, message: str) -> None:
    assert (result.exit_code, result.stdout) == (1, "")
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert result.stderr.splitlines()[-1:] == errors
    assert message in errors[0]


def test_a_bad_line_exits_with_1_and_writes_nothing(folder: Path) -> None:
    Path("../bad.txt").write_text("a\tb\nc\td\te\n")
    _assert_failed(_run("../bad.txt"), "../bad.txt:2: 2 tabs in 'c\\td\\te'")
    _assert_failed(_run("../gone.txt"), "../gone.txt: cannot be read (no such file")
    assert list(folder.iterdir()) == []


def test_a_place_that_cannot_be_written_exits_with_1(tiny: Path) -> None:
    outputs = [Path("gone/ops.parquet"), Path("/proc/ops.parquet")]
    for output in outputs if os.name == "posix" else outputs[:1]:
        result = _run("../ops.v2.txt", "-o", output, "--model", tiny)
        _assert_failed(result, f"{output}: cannot write here")


def test_an_unknown_model_exits_with_1_and_writes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    _assert_failed(_run("../ops.v2.txt", "--model", "nobody/nothing"), "model 'nobody/nothing': no")
    assert list(folder.iterdir()) == []


def test_help_shows_the_options() -> None:
    assert "ops.txt" in _run("--help").stdout
    for option in ("--space", "--length", "--model", "--as-written", "--out", "--quiet"):
        assert option in _run("encode", "--help").stdout
