"""Journals that several processes append to, and that kill -9 may tear."""

import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_evo.measuring.journal import Asked, Entry, JsonLines, as_table, locked

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def entry(number: int, value: float | None = 0.5, note: str = "") -> Entry:
    return Entry(
        space="toy",
        arch_id=f"cell-{number}",
        metric="accuracy",
        value=value,
        seconds=1.5,
        at=NOW,
        attempt=1,
        note=note,
    )


@pytest.fixture
def journal(tmp_path: Path) -> JsonLines[Entry]:
    (tmp_path / "measurements.jsonl").touch()
    return JsonLines(tmp_path / "measurements.jsonl", Entry)


def test_what_was_appended_is_read(journal: JsonLines[Entry]) -> None:
    assert journal.read() == []
    journal.append([entry(0), entry(1, None, "line\nbreak \u2028 and \U0001f600")])
    journal.append([entry(2, 1e-300)])
    assert journal.read() == [
        entry(0),
        entry(1, None, "line\nbreak \u2028 and \U0001f600"),
        entry(2, 1e-300),
    ]
    validate(as_table(journal.read()), "measurements")


@given(cut=st.integers(min_value=0))
def test_a_torn_line_costs_no_other_and_is_gone_with_the_next_one(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "measurements.jsonl"
    path.touch()
    journal = JsonLines(path, Entry)
    journal.append([entry(0), entry(1)])
    first, second, _ = path.read_bytes().split(b"\n")
    kept = cut % (len(second) + 1)
    path.write_bytes(first + b"\n" + second[:kept])
    whole = [entry(0), entry(1)] if kept == len(second) else [entry(0)]
    assert journal.read() == whole
    journal.append([entry(2)])
    assert journal.read() == [*whole, entry(2)]
    assert path.read_bytes().endswith(b"}\n")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{}", "missing required field"),
        ("nonsense", "JSON is malformed"),
        ("", "Input data was truncated"),
        ("[" * 100_000, "line 2"),
        ('{"value": NaN}', "line 2"),
        ("\\xff", "JSON is malformed"),
    ],
)
def test_damaged_lines_are_named_in_one_error(
    journal: JsonLines[Entry], line: str, problem: str
) -> None:
    journal.append([entry(0)])
    with journal.path.open("a") as file:
        file.write(f"{line}\n")
    journal.append([entry(1)])
    with pytest.raises(
        SnapError, match=r"measurements.jsonl: 1 of 3 lines are damaged: 2 "
    ) as message:
        journal.read()
    assert problem in str(message.value)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ('"value":0.5', '"value":1e999'),
        ('"value":0.5', '"value":"0.5"'),
        ('"attempt":1', '"attempt":0'),
        ('"attempt":1', '"attempt":1.5'),
        ('"seconds":1.5', '"seconds":-1'),
        ("05.000678Z", "05.000678"),
        ('"note"', '"remark"'),
    ],
)
def test_a_line_that_breaks_the_contract_is_damaged(
    journal: JsonLines[Entry], field: str, text: str
) -> None:
    journal.append([entry(0, note="x")])
    before = journal.path.read_text()
    assert field in before
    journal.path.write_text(before.replace(field, text))
    with pytest.raises(SnapError, match="1 of 1 lines are damaged: 1 "):
        journal.read()


COUNTING = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from snap_evo.measuring.journal import Asked, JsonLines, locked

path = Path(sys.argv[1])
asked = JsonLines(path, Asked)
for _ in range(25):
    with locked(path.parent / ".lock"):
        number = len(asked.read()) + 1
        asked.append([Asked(number=number, arch_id="x", at=datetime.now(UTC), by="ask")])
"""


def test_processes_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    path.touch()
    started = [subprocess.Popen([sys.executable, "-c", COUNTING, path]) for _ in range(2)]
    assert [process.wait() for process in started] == [0, 0]
    assert [one.number for one in JsonLines(path, Asked).read()] == [*range(1, 51)]


def test_a_lock_that_is_held_is_refused_without_waiting(tmp_path: Path) -> None:
    with (
        locked(tmp_path / ".run-lock"),
        pytest.raises(SnapError, match="another snap-evo is measuring here"),
        locked(tmp_path / ".run-lock", wait=False),
    ):
        pass
    with locked(tmp_path / ".run-lock", wait=False):
        pass


def test_a_journal_that_cannot_be_written_is_reported(journal: JsonLines[Entry]) -> None:
    journal.path.unlink()
    journal.path.mkdir()
    with pytest.raises(
        SnapError, match=r"measurements.jsonl: cannot be written \(is a directory\)"
    ):
        journal.append([entry(0)])


@pytest.mark.parametrize("torn", [0, 1, 100, 4095, 4096, 4097, 10_000])
def test_appending_reads_only_the_end_of_the_file(
    journal: JsonLines[Entry], monkeypatch: pytest.MonkeyPatch, torn: int
) -> None:
    line = journal.path.open("ab")
    journal.append([entry(0)])
    one = journal.path.read_bytes()
    with line:
        line.write(one * (300_000 // len(one)) + b"{" * torn)
    count = len(journal.path.read_bytes().splitlines())
    read = []

    class Counting(io.BufferedReader):
        def read(self, size: int | None = -1) -> bytes:
            read.append(len(found := super().read(size)))
            return found

    opened = Path.open
    with monkeypatch.context() as patched:
        patched.setattr(
            Path,
            "open",
            lambda path, mode: Counting(io.FileIO(path)) if mode == "rb" else opened(path, mode),
        )
        patched.delattr(Path, "read_bytes")
        journal.append([entry(1)])
    assert sum(read) <= torn + 2 * 4096
    assert journal.path.read_bytes().count(b"\n") == count + (torn == 0)
    assert journal.read()[-1] == entry(1)
