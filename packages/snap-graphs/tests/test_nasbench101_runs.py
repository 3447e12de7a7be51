import base64
import contextlib
import json
import os
import pickle
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import nb101_tfrecord as made
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_catalog.tables import read_table
from snap_graphs import space
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request
from snap_graphs.formats.nasbench101 import decode
from snap_graphs.spaces.nb101 import module_hash

TEST = "cifar10/test/accuracy@108"
ARCHS = ("2:1:", "3:111:m", "4:110011:31", "5:1100011011:3m1")


def row(arch_id: str, accuracy: float = 90.0) -> dict[str, str]:
    size, upper, letters = arch_id.split(":")
    return {
        "hash": module_hash(space("nb101").parse(arch_id)),
        "n_vertices": size,
        "adj_upper": upper,
        "ops": letters,
        "params": "1234567",
        TEST: str(accuracy),
    }


ROWS = [row(arch_id, 80.0 + i) for i, arch_id in enumerate(ARCHS)]


def write(path: Path, records: Sequence[bytes]) -> Path:
    path.write_bytes(b"".join(map(made.framed, records)))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nasbench.tfrecord"


def test_runs_that_stand_apart_make_one_row_a_cell_with_their_means(path: Path) -> None:
    made.write(path, ROWS)
    table = convert("nb101", path)
    validate(table, "graphs")
    assert table["arch_id"].to_pylist() == list(ARCHS)
    assert table["module_hash"].to_pylist() == [entry["hash"] for entry in ROWS]
    assert table[TEST].to_pylist() == pytest.approx([80.0, 81.0, 82.0, 83.0])
    seconds = table.schema.field("cifar10/train/seconds@108")
    assert seconds.metadata == {b"direction": b"min", b"unit": b"seconds"}


def test_every_repeat_and_budget_is_kept_on_request(path: Path) -> None:
    made.write(path, ROWS, budgets=(4, 12, 36, 108))
    table = convert("nb101", path, Request(repeat="all"))
    for budget in (4, 12, 36, 108):
        for repeat in range(3):
            runs = [made.final(entry, budget, repeat) for entry in ROWS]
            for place, name in enumerate(
                ("train/seconds", "train/accuracy", "valid/accuracy", "test/accuracy")
            ):
                factor = 1 if place == 0 else 100
                column = table[f"cifar10/{name}@{budget}#{repeat}"].to_pylist()
                assert column == pytest.approx([run[place] * factor for run in runs])


def test_only_the_budgets_asked_for_are_kept(path: Path) -> None:
    made.write(path, ROWS, budgets=(4, 12, 108))
    table = convert("nb101", path, Request(epochs=frozenset({4, 12})))
    budgets = {name.partition("@")[2] for name in table.column_names if "@" in name}
    assert budgets == {"4", "12"}


def test_repeats_that_are_missing_stay_empty(path: Path) -> None:
    records = [made.record(ROWS[0], 108, 0), made.record(ROWS[1], 108, 0)]
    write(path, [*records, made.record(ROWS[1], 108, 1)])
    table = convert("nb101", path, Request(repeat="all"))
    assert table[f"{TEST}#1"].to_pylist() == [None, pytest.approx(80.9)]


def test_a_record_tells_the_published_parameters(shared_data: Path, nb101_sample: Path) -> None:
    """The generator's message holds the published number; the cell has as many."""
    for entry in list(made.rows(nb101_sample))[:200]:
        run = decode(made.record(entry, 108, 0))
        assert run.parameters == int(entry["params"])


def test_a_table_and_the_records_made_of_it_give_the_same_graphs(
    nb101_sample: Path, path: Path
) -> None:
    made.write(path, made.rows(nb101_sample))
    columns = ["arch_id", "nodes", "src", "dst", "cell_hash", "module_hash", "params", TEST]
    records, table = (convert("nb101", p).select(columns) for p in (path, nb101_sample))
    assert records.drop_columns(TEST).equals(table.drop_columns(TEST))
    assert records[TEST].to_pylist() == pytest.approx(table[TEST].to_pylist())


def edited(change: Callable[[list[object]], object]) -> bytes:
    entry = json.loads(made.record(ROWS[1], 108, 0))
    change(entry)
    return json.dumps(entry).encode()


def message(accuracy: float) -> str:
    """Return a record's message whose last accuracy is another."""
    whole = bytearray(made.message(ROWS[1], 108, 0))
    place = whole.rindex(struct.pack("<d", made.final(ROWS[1], 108, 0)[3]))
    whole[place : place + 8] = struct.pack("<d", accuracy)
    return base64.b64encode(whole).decode()


def put(place: int, value: object) -> bytes:
    return edited(lambda entry: entry.__setitem__(place, value))


def too_large(entry: list[object]) -> None:
    entry[2] = "".join(str(int(j == i + 1)) for i in range(8) for j in range(8))
    entry[3] = ",".join(["input", *["maxpool3x3"] * 6, "output"])


CUT = base64.b64encode(made.message(ROWS[1], 108, 0)[:-4]).decode()
TWO_EVALUATIONS = base64.b64encode(b"\x0a\x00\x0a\x00\x10\x07").decode()
EMPTY_EVALUATIONS = base64.b64encode(b"\x0a\x00" * 3 + b"\x10\x07").decode()
NO_PARAMETERS = base64.b64encode(b"\x0a\x00" * 3).decode()
BAD = {
    b"\xff\xfe": "codec can't decode",
    b"[1, 2": "Expecting",
    b'{"a": 1}': "expected a list of hash, epochs",
    b"[" * 100_000: "recursion",
    put(1, 108.0): "expected a list of hash, epochs",
    put(1, 107): "107 epochs are not a budget of",
    put(1, True): "expected a list of hash, epochs",
    put(0, "xyz"): "non-hexadecimal",
    put(0, "abcd"): "not an MD5 hash",
    put(2, "0110"): "do not define a cell",
    put(2, "011101000"): "do not define a cell",
    put(2, "012001000"): "do not define a cell",
    put(2, "010000000"): "no path leads from the input to the output",
    put(2, "0" * 9): "no path leads from the input to the output",
    edited(too_large): "8 vertices and 7 edges on paths",
    put(3, "input,conv7x7,output"): "do not define a cell",
    put(3, "input"): "do not define a cell",
    put(4, "no base64!"): "",
    put(4, CUT): "truncated",
    put(4, TWO_EVALUATIONS): "2 evaluations, not 3",
    put(4, EMPTY_EVALUATIONS): "a final accuracy",
    put(4, NO_PARAMETERS): "trainable parameters",
    put(4, message(float("nan"))): "not all finite",
    put(4, message(float("inf"))): "not all finite",
    put(4, message(-0.5)): "not all finite",
    put(4, message(91.5)): "not all fractions of 1",
}


@pytest.mark.parametrize(("record", "fault"), BAD.items(), ids=lambda part: str(part)[:30])
def test_a_bad_record_is_refused_by_number_or_counted(
    path: Path, record: bytes, fault: str
) -> None:
    write(path, [made.record(ROWS[0], 108, 0), record, made.record(ROWS[2], 108, 0)])
    with pytest.raises(SnapError, match=f"record 2: .*{fault}.*--skip-bad") as caught:
        convert("nb101", path)
    assert "\n" not in str(caught.value)
    request = Request(skip_bad=True)
    assert convert("nb101", path, request).num_rows == 2
    assert request.skipped == 1


def test_one_hash_for_two_cells_is_a_bad_record(path: Path) -> None:
    write(path, [made.record(ROWS[1], 108, 0), put(3, "input,conv3x3-bn-relu,output")])
    with pytest.raises(SnapError, match=r"record 2: hash .* belongs to another cell"):
        convert("nb101", path)


def test_a_hash_that_is_not_the_cells_is_found(path: Path) -> None:
    made.write(path, [ROWS[0], ROWS[1] | {"hash": "0" * 32}])
    with pytest.raises(SnapError, match=r"record 3:111:m: hash '0{32}' is wrong \(expected"):
        convert("nb101", path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 400), st.integers(0, 255))
def test_a_record_with_any_byte_changed_is_read_or_refused(
    path: Path, place: int, value: int
) -> None:
    record = bytearray(made.record(ROWS[2], 108, 0))
    record[place % len(record)] = value
    write(path, [bytes(record)])
    with contextlib.suppress(SnapError):
        assert convert("nb101", path).num_rows == 1


def test_a_file_without_a_record_is_refused(path: Path) -> None:
    path.touch()
    with pytest.raises(SnapError, match="contains no readable architecture"):
        convert("nb101", path)


def naslib(shared_data: Path) -> Path:
    return shared_data / "official" / "naslib_nb101_30archs.pkl"


def test_naslibs_real_pickle_agrees_with_the_published_table(shared_data: Path) -> None:
    table = convert("nb101", naslib(shared_data))
    validate(table, "graphs")
    assert table.num_rows == 30
    published = read_table(shared_data / "nb101.csv.gz").select(["hash", "params", TEST])
    columns = ["module_hash", "params", TEST]
    both = table.select(columns).join(published, "module_hash", "hash", right_suffix=" published")
    assert both["params"].to_pylist() == both["params published"].to_pylist()
    assert both[TEST].to_pylist() == pytest.approx(both[f"{TEST} published"].to_pylist(), abs=1e-3)


def test_naslibs_repeats_are_kept(shared_data: Path) -> None:
    table = convert("nb101", naslib(shared_data), Request(repeat="all"))
    first = table.slice(0, 1).to_pylist()[0]
    runs = [first[f"{TEST}#{i}"] for i in range(3)]
    assert runs == pytest.approx([92.31770635, 91.92708135, 92.05729365])


def test_a_naslib_pickle_that_would_run_a_command_is_refused(tmp_path: Path) -> None:
    mark, path = tmp_path / "mark", tmp_path / "evil.pkl"

    class Planted:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {mark}",)

    path.write_bytes(pickle.dumps({"a" * 32: ({"module_adjacency": Planted()}, {})}))
    with pytest.raises(SnapError, match=r"evil\.pkl: refused.*system"):
        convert("nb101", path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (7, "cannot unpack"),
        (({"module_adjacency": "x"}, {108: []}), "the adjacency is not a square matrix"),
    ],
)
def test_a_naslib_entry_of_another_layout_is_a_bad_record(
    tmp_path: Path, entry: object, fault: str
) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"module_adjacency": entry}))
    with pytest.raises(SnapError, match=f"record module_adjacency: .*{fault}"):
        convert("nb101", path)


ADJACENCY = np.array([[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])


def pickled(path: Path, adjacency: object, operators: Sequence[str] = ("maxpool3x3",) * 2) -> Path:
    fixed = {
        "module_adjacency": adjacency,
        "module_operations": ["input", *operators, "output"],
        "trainable_parameters": 100,
    }
    names = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
    runs = {108: [{f"final_{name}": 0.5 for name in names}]}
    cell = space("nb101").parse("4:110101:mm")
    path.write_bytes(pickle.dumps({module_hash(cell): (fixed, runs)}))
    return path


@pytest.mark.parametrize(
    "adjacency",
    [
        *(ADJACENCY.astype(kind) for kind in ("i1", "u8", "?", "f4", "f8")),
        np.asfortranarray(ADJACENCY),
        ADJACENCY.tolist(),
        ADJACENCY.astype(bool).tolist(),
        ADJACENCY.astype(float).tolist(),
        tuple(map(tuple, ADJACENCY)),
    ],
    ids=lambda a: f"{type(a).__name__} {getattr(a, 'dtype', '')}",
)
def test_an_adjacency_of_any_type_is_read_alike(tmp_path: Path, adjacency: object) -> None:
    found = convert("nb101", pickled(tmp_path / "a.pkl", adjacency))
    assert found["arch_id"].to_pylist() == ["4:110101:mm"]


def test_an_unpruned_cell_of_a_pickle_keeps_its_vertices(tmp_path: Path) -> None:
    adjacency = np.zeros((9, 9), int)
    adjacency[:3, :3], adjacency[2, 8], adjacency[0, 4] = ADJACENCY[:3, :3], 1, 1
    found = convert("nb101", pickled(tmp_path / "a.pkl", adjacency, ("maxpool3x3",) * 7))
    assert found["n_dead"].to_pylist() == [5]
    assert len(found["nodes"][0]) == 9


@pytest.mark.parametrize(
    ("adjacency", "fault"),
    [
        (ADJACENCY * 2, "not a square matrix of 0 and 1"),
        (ADJACENCY * 0.5, "not a square matrix"),
        (ADJACENCY[:3], "not a square matrix"),
        (ADJACENCY.ravel(), "not a square matrix"),
        (ADJACENCY.astype(str), "not a square matrix"),
        ([[0, 1], 3], "not a square matrix"),
        ([[[0]]], "not a square matrix"),
        (None, "not a square matrix"),
        (ADJACENCY.T, "do not define a cell"),
        (ADJACENCY * 0, "no path leads"),
    ],
)
def test_another_adjacency_is_a_bad_record(tmp_path: Path, adjacency: object, fault: str) -> None:
    with pytest.raises(SnapError, match=rf"a\.pkl: record [0-9a-f]{{32}}: .*{fault}") as caught:
        convert("nb101", pickled(tmp_path / "a.pkl", adjacency))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("budget", [108.0, "108", None, 107])
def test_another_budget_of_a_pickle_is_a_bad_record_that_shifts_no_other(
    tmp_path: Path, budget: object
) -> None:
    path = pickled(tmp_path / "a.pkl", ADJACENCY)
    ((key, (fixed, runs)),) = pickle.loads(path.read_bytes()).items()
    other = {**fixed, "module_operations": ["input", *["conv3x3-bn-relu"] * 2, "output"]}
    hashed = module_hash(space("nb101").parse("4:110101:33"))
    path.write_bytes(pickle.dumps({key: (fixed, {budget: runs[108]}), hashed: (other, runs)}))
    with pytest.raises(SnapError, match=f"record {key}: .*epochs are not a budget of"):
        convert("nb101", path)
    request = Request(skip_bad=True)
    found = convert("nb101", path, request)
    assert found["arch_id"].to_pylist() == ["4:110101:33"]
    assert found[TEST].to_pylist() == [50.0]
    assert request.skipped == 1


def test_a_pickled_entry_with_one_bad_run_is_left_out_whole(tmp_path: Path) -> None:
    path = pickled(tmp_path / "a.pkl", ADJACENCY)
    ((key, (fixed, runs)),) = pickle.loads(path.read_bytes()).items()
    path.write_bytes(pickle.dumps({key: (fixed, {108: [*runs[108], {}]})}))
    with pytest.raises(SnapError, match="contains no readable architecture"):
        convert("nb101", path, Request(skip_bad=True))
