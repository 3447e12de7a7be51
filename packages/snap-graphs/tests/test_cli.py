from pathlib import Path

from click.testing import CliRunner
from snap_catalog.parquet import read
from snap_graphs.cli import main


def test_convert_writes_a_file_in_the_contract(tmp_path: Path) -> None:
    out = tmp_path / "nb201.parquet"
    result = CliRunner().invoke(main, ["convert", "nb201", str(out)])
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "15,625 architectures, 8,765 distinct cells" in result.stderr
    assert read(out, "graphs").num_rows == 15_625


def test_a_bad_source_is_one_line_and_leaves_the_old_file(tmp_path: Path) -> None:
    out, source = tmp_path / "out.parquet", tmp_path / "bad.csv"
    source.write_text("arch\n|none~0|+|none~0|none~1|+|none~0|none~1|none~2|\n")
    done = CliRunner().invoke(main, ["convert", "nb201", str(out), "--source", str(source)])
    assert done.exit_code == 0, done.stderr
    old = out.read_bytes()
    source.write_text("arch\n|none~0|\n")
    result = CliRunner().invoke(main, ["convert", "nb201", str(out), "--source", str(source)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {source}: record 1: ")
    assert result.stderr.count("\n") == 1
    assert out.read_bytes() == old
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.csv", "out.parquet"]


def test_repeated_architectures_are_refused(tmp_path: Path) -> None:
    cell = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    source = tmp_path / "twice.csv"
    source.write_text(f"arch\n{cell}\n{cell}\n")
    out = tmp_path / "out.parquet"
    result = CliRunner().invoke(main, ["convert", "nb201", str(out), "--source", str(source)])
    assert result.exit_code == 1
    assert "2 rows share space 'nb201', arch_id" in result.stderr
    assert not out.exists()


def test_a_folder_without_write_permission_is_told(unwritable: Path) -> None:
    result = CliRunner().invoke(main, ["convert", "nb201", str(unwritable / "out.parquet")])
    assert result.exit_code == 1
    assert "cannot write here" in result.stderr
