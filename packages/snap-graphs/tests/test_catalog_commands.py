import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from snap_catalog import benchmarks
from snap_graphs.cli import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_catalog_lists_every_benchmark_on_a_line() -> None:
    lines = run("catalog").stdout.splitlines()
    assert lines[0].split() == ["NAME", "SPACE", "ROLE", "LICENCE", "TITLE"]
    assert [line.split()[0] for line in lines[1:]] == list(benchmarks())
    assert any(line.startswith("nb101 ") and "Apache-2.0" in line for line in lines)


@pytest.mark.parametrize("name", benchmarks())
def test_catalog_tells_files_roles_and_traps_of_one(name: str) -> None:
    entry, message = benchmarks()[name], run("catalog", name).stdout
    for text in (entry.title, entry.licence, entry.citation.strip(), *entry.traps):
        assert text in message
    for file in entry.files:
        assert file.name in message
        assert (file.sha256 or "no published checksum") in message
    assert {m.role for m in entry.metrics} <= set(message.replace(",", " ").split())


def test_catalog_gives_json_of_all_and_of_one() -> None:
    message = json.loads(run("catalog", "--json").stdout)
    assert [entry["name"] for entry in message] == list(benchmarks())
    one = json.loads(run("catalog", "nb101", "--json").stdout)
    assert one in message
    assert one["files"][0]["name"] == "nasbench_only108.tfrecord"


def test_an_unknown_benchmark_is_told_in_one_line() -> None:
    for command in ("catalog", "fetch"):
        result = run(command, "nb999")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("Error: unknown benchmark 'nb999'; the catalog has ")


def test_fetch_prints_the_path_of_what_the_cache_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNAP_CACHE", str(tmp_path))
    path = tmp_path / "nb201" / "NATS-tss-v1_0-3ffb9-simple.tar"
    path.parent.mkdir()
    path.write_bytes(b"content")
    result = run("fetch", "nb201", path.name)
    assert (result.exit_code, result.stdout) == (0, f"{path}\n")
    assert result.stderr == f"{path}: 7 bytes, checked\n"
    assert run("fetch", "nb201", "--quiet").stderr == ""
    pin = path.with_name(f"{path.name}.sha256")
    assert pin.read_text().strip() == hashlib.sha256(b"content").hexdigest()


def test_fetch_refuses_a_cached_file_with_another_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNAP_CACHE", str(tmp_path))
    path = tmp_path / "nb101" / "nasbench_only108.tfrecord"
    path.parent.mkdir()
    path.write_bytes(b"content")
    for arguments in (("fetch", "nb101"), ("convert", "nb101", str(tmp_path / "out.parquet"))):
        result = run(*arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {path}: SHA-256 is ")
        assert result.stderr.count("\n") == 1
