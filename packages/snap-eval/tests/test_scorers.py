import gzip
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import write
from snap_catalog.scores import NO_SCORE
from snap_eval import Measured, Scorer, as_measured, as_scorer, as_scorers, read_scorers
from snap_eval.scorers import by_name, common_ranks

Make = Callable[..., pa.Table]
ACCURACY = "cifar10/test/accuracy@200"


@pytest.fixture
def cells(make_graphs: Make) -> Measured:
    """Four cells of NAS-Bench-201."""
    metrics = {ACCURACY: [1, 2, 3, 4], "proxy/cifar10/zen": [5.0, -1e8, float("nan"), None]}
    return as_measured(make_graphs(list("abcd"), metrics))


def _scores(one: Scorer, cells: Measured) -> list[float | None]:
    return [None if np.isnan(v) else v for v in one.place(cells).score.tolist()]


def _write(folder: Path, name: str, table: pa.Table) -> str:
    write(table, folder / name, "scores", producer="snap-eval")
    return str(folder / name)


@settings(deadline=None, max_examples=25)
@given(
    st.dictionaries(st.text("ab'\"|~", max_size=4), st.floats(-9, 9), min_size=1),
    st.dictionaries(st.text("ab'\"|~", max_size=4), st.floats(0, 100), min_size=1),
)
def test_scores_are_placed_as_by_a_dictionary(
    make_graphs: Make, make_scores: Make, scored: dict[str, float], known: dict[str, float]
) -> None:
    cells = as_measured(make_graphs(list(known), {ACCURACY: list(known.values())}))
    one = as_scorer(make_scores(list(scored), list(scored.values())))
    names = cells.graphs["arch_id"].to_pylist()
    assert one.place(cells).found.tolist() == [name in scored for name in names]
    assert _scores(one, cells) == [scored.get(name) for name in names]
    lone = scored.keys() - known.keys()
    if len(lone) < len(scored):
        assert set(one.unmatched([cells])) == lone
    else:
        with pytest.raises(SnapError, match=r"^scores and graphs have no cell .* in common"):
            one.unmatched([cells])


def test_a_cell_is_matched_within_its_space_only(make_graphs: Make, make_scores: Make) -> None:
    graphs = make_graphs(["a", "a"], {ACCURACY: [1, 2]}, spaces=["nb101", "nb201"])
    one = as_scorer(make_scores(["a"], [7], spaces=["nb201"]))
    assert _scores(one, as_measured(graphs, "both")) == [None, 7]


def test_sentinels_and_nan_are_rows_without_a_score_and_null_is_no_row(
    cells: Measured,
) -> None:
    (zen,) = read_scorers([":zen"], [cells])
    placed = zen.place(cells)
    assert placed.found.tolist() == [True, True, True, False]
    assert _scores(zen, cells) == [5, None, None, None]


@pytest.mark.parametrize("column", ["params", "flops"])
def test_a_column_of_the_graphs_without_values_is_no_scorer(cells: Measured, column: str) -> None:
    (one,) = read_scorers([f":{column}"], [cells])
    with pytest.raises(SnapError, match="no cell"):
        one.unmatched([cells])


@pytest.mark.parametrize(
    ("spec", "name", "scores"),
    [
        (":depth", "depth", [0, 0, 0, 0]),
        ("deep=:depth", "deep", [0, 0, 0, 0]),
        (":test/acc", "test/acc", [1, 2, 3, 4]),
        (":count:inp*", "count:inp*", [1, 1, 1, 1]),
        ("inputs=:count:input", "inputs", [1, 1, 1, 1]),
    ],
)
def test_any_column_of_the_graphs_is_a_scorer(
    cells: Measured, spec: str, name: str, scores: list[float]
) -> None:
    (one,) = read_scorers([spec], [cells])
    assert (one.name, one.seed, _scores(one, cells)) == (name, None, scores)


def test_a_scores_file_says_its_name_and_seed_unless_renamed(
    cells: Measured, make_scores: Make, tmp_path: Path
) -> None:
    told = {"snap.scorer": "gcn", "snap.seed": "4"}
    file = _write(tmp_path, "s.parquet", make_scores(list("ab"), [3, 1], metadata=told))
    (one,) = read_scorers([file], [cells])
    (renamed,) = read_scorers([f"mine={file}"], [cells])
    assert (one.name, one.seed) == ("gcn", 4)
    assert (renamed.name, renamed.seed) == ("mine", 4)
    assert _scores(one, cells) == [3, 1, None, None]


@pytest.fixture
def two(make_scores: Make) -> pa.Table:
    """Scores by two scorers, one of which has a colon in its name."""
    entries = {"snap.scorer": "zen, gcn:snap", "snap.seed": "4"}
    scorers = ["zen", "gcn:snap", "zen", "gcn:snap"]
    return make_scores(["a", "a", "b", "c"], [1, 9, 2, 8], scorers=scorers, metadata=entries)


def test_a_file_of_several_scorers_gives_all_of_them(
    cells: Measured, two: pa.Table, tmp_path: Path
) -> None:
    file = _write(tmp_path, "s.parquet", two)
    for spec in (file, f"{file}:score"):
        zen, gcn = read_scorers([spec], [cells])
        assert (zen.name, zen.seed, _scores(zen, cells)) == ("zen", 4, [1, 2, None, None])
        assert (gcn.name, gcn.seed, _scores(gcn, cells)) == ("gcn:snap", 4, [9, None, 8, None])
        assert [zen.source, gcn.source] == [f"{file}:zen", f"{file}:gcn:snap"]


def test_one_of_several_scorers_is_picked_by_its_name(
    cells: Measured, two: pa.Table, tmp_path: Path
) -> None:
    file = _write(tmp_path, "s.parquet", two)
    for spec, name in ((f"{file}:gcn:snap", "gcn:snap"), (f"mine={file}:gcn:snap", "mine")):
        (one,) = read_scorers([spec], [cells])
        assert (one.name, one.seed, _scores(one, cells)) == (name, 4, [9, None, 8, None])


@pytest.mark.parametrize(
    ("name", "column", "problem"),
    [
        ("mine=", "", r"several scorers \(zen, gcn:snap\); name one of them, as mine=.*:zen$"),
        ("mine=", ":score", "name one of them, as mine="),
        ("", ":params", "none of its scorers is called 'params'; choose one of: zen, gcn:snap$"),
        ("", ":spread", "none of its scorers is called 'spread'; choose one of: zen, gcn:snap$"),
    ],
)
def test_several_scorers_are_not_taken_for_one(
    cells: Measured, two: pa.Table, tmp_path: Path, name: str, column: str, problem: str
) -> None:
    file = _write(tmp_path, "s.parquet", two)
    with pytest.raises(SnapError, match=problem) as failure:
        read_scorers([f"{name}{file}{column}"], [cells])
    assert str(failure.value).startswith(f"{file}: ")
    with pytest.raises(SnapError, match=r"^t: scores of several scorers \(zen, gcn:snap\); give"):
        as_scorer(two, "t")
    assert [one.name for one in as_scorers(two)] == ["zen", "gcn:snap"]


def test_a_scorer_in_the_rows_counts_before_the_one_in_the_metadata(make_scores: Make) -> None:
    assert as_scorer(make_scores(["a"], [1], scorers=["zen"])).name == "zen"
    assert as_scorer(make_scores(["a"], [1], scorers=[None])).name == "gcn"


def test_scorers_of_several_files_are_put_together_by_name(
    cells: Measured, two: pa.Table, make_scores: Make, tmp_path: Path
) -> None:
    entries = {"snap.scorer": "zen", "snap.seed": "4"}
    more = _write(tmp_path, "more.parquet", make_scores(["b", "d"], [2, 3], metadata=entries))
    file = _write(tmp_path, "s.parquet", two)
    zen, gcn = read_scorers([file, more], [cells])
    assert _scores(zen, cells) == [1, 2, None, 3]
    assert _scores(gcn, cells) == [9, None, 8, None]


def test_a_column_of_a_scores_file_of_one_scorer_is_read_as_before(
    cells: Measured, make_scores: Make, tmp_path: Path
) -> None:
    table = make_scores(["a"], [1], metadata={"snap.scorer": "spread"})
    table = table.set_column(3, "spread", pa.array([0.5]))
    file = _write(tmp_path, "s.parquet", table)
    (one,) = read_scorers([f"{file}:spread"], [cells])
    assert _scores(one, cells)[0] == 0.5
    with pytest.raises(SnapError, match="no column 'nwot'; choose one of: score, spread, novelty"):
        read_scorers([f"{file}:nwot"], [cells])


@pytest.mark.parametrize("name", ["theirs.csv", "theirs.csv.gz", "theirs.parquet"])
@pytest.mark.parametrize("key", ["arch", "arch_id"])
def test_anybodys_table_is_read(cells: Measured, tmp_path: Path, name: str, key: str) -> None:
    text = f"{key},mine\na,1.5\nb,\nc,nan\n"
    if name.endswith(".csv"):
        (tmp_path / name).write_text(text)
    elif name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    else:
        pq.write_table(pa.table({key: list("abc"), "mine": [1.5, None, np.nan]}), tmp_path / name)
    (one,) = read_scorers([f"{tmp_path / name}:mine"], [cells])
    assert one.name == "mine"
    assert _scores(one, cells) == [1.5, None, None, None]
    assert one.place(cells).found.tolist() == [True, False, True, False]


def test_a_file_alone_means_its_column_score(cells: Measured, tmp_path: Path) -> None:
    (tmp_path / "theirs.csv").write_text("space,arch_id,score\nnb201,d,2\n")
    (one,) = read_scorers([str(tmp_path / "theirs.csv")], [cells])
    assert (one.name, _scores(one, cells)) == ("theirs", [None, None, None, 2])


def test_a_star_stands_for_the_files_of_several_seeds(
    cells: Measured, make_scores: Make, tmp_path: Path
) -> None:
    for seed in (1, 0):
        told = {"snap.scorer": "gcn", "snap.seed": str(seed)}
        _write(tmp_path, f"s{seed}.parquet", make_scores(["a"], [seed], metadata=told))
    found = read_scorers([f"{tmp_path}/s*.parquet"], [cells])
    assert [(one.name, one.seed) for one in found] == [("gcn", 0), ("gcn", 1)]
    assert list(by_name(found)) == ["gcn"]


def test_files_of_one_model_are_put_together(
    make_graphs: Make, make_scores: Make, tmp_path: Path
) -> None:
    cells = as_measured(make_graphs(list("abcd"), {ACCURACY: [1, 2, 3, 4]}))
    files = [
        _write(tmp_path, "one.parquet", make_scores(["a", "b"], [1, 2])),
        _write(tmp_path, "other.parquet", make_scores(["b", "c"], [2, 3])),
    ]
    (one,) = read_scorers(files, [cells])
    assert _scores(one, cells) == [1, 2, 3, None]


def test_two_files_of_one_model_that_differ_are_refused(
    cells: Measured, make_scores: Make, tmp_path: Path
) -> None:
    files = [
        _write(tmp_path, "one.parquet", make_scores(["a", "b"], [1, 2])),
        _write(tmp_path, "other.parquet", make_scores(["b", "c"], [9, 3])),
    ]
    with pytest.raises(SnapError, match=r"one.parquet and .*other.parquet: both .* 'b' by 'gcn'"):
        read_scorers(files, [cells])


def test_models_of_one_name_must_all_have_seeds(make_scores: Make) -> None:
    seeded = make_scores(["a"], [1], metadata={"snap.scorer": "gcn", "snap.seed": "1"})
    both = [as_scorer(seeded), as_scorer(make_scores(["a"], [1]), "s.parquet")]
    with pytest.raises(SnapError, match=r"^s\.parquet: another file has scores by 'gcn' too"):
        by_name(both)


@pytest.mark.parametrize(
    ("text", "spec", "problem"),
    [
        ("arch,mine\na,1\na,2\n", ":mine", "2 rows share space 'nb201', arch_id 'a'"),
        ("arch,mine\na,1\n", ":yours", "no column 'yours'; choose one of: mine"),
        ("arch,mine\na,x\n", ":mine", "row 1: column 'mine' holds 'x', which is not a number"),
        ("cell,mine\na,1\n", ":mine", "no column 'arch_id' or 'arch' names the cells"),
        ("arch,mine\na,1\n", ":count:conv", "no graphs file, so it has no operators to count"),
        (
            "arch,mine\n,1\n",
            ":mine",
            "row 1: column 'arch_id' is empty; fill it in or drop",
        ),
        ("arch,mine,scorer\na,1,x\nb,1,y\n", ":mine", r"column 'scorer' names several \(x, y\)"),
        ('arch,mine\n"a', ":mine", "not a readable CSV table"),
        ("arch,mine,mine\na,1,2\n", ":mine", "2 columns are called 'mine'"),
    ],
)
def test_a_table_that_is_no_scorer_is_refused_by_name(
    cells: Measured, tmp_path: Path, text: str, spec: str, problem: str
) -> None:
    file = tmp_path / "theirs.csv"
    file.write_text(text)
    with pytest.raises(SnapError, match=problem) as failure:
        read_scorers([f"{file}{spec}"], [cells])[0].unmatched([cells])
    assert str(failure.value).startswith(str(file))
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (["1", str(2**53 + 1)], "9007199254740993"),
        (["1", str(2**63), str(2**63 + 1)], "'9223372036854775808'"),
        (["0.5", str(2**53 + 1)], "'9007199254740993'"),
        (["1", str(10**400)], "'1000"),
        (["1", "1e400"], "'1e400'"),
        (["1", "inf"], "inf"),
        (["0.5", "-inf"], "-inf"),
    ],
)
def test_scores_that_a_double_cannot_rank_are_refused_by_row_and_value(
    cells: Measured, tmp_path: Path, values: list[str], shown: str
) -> None:
    file = tmp_path / "s.csv"
    rows = zip("abc", values, strict=False)
    file.write_text("arch_id,score\n" + "".join(f"{name},{value}\n" for name, value in rows))
    with pytest.raises(SnapError) as failure:
        read_scorers([str(file)], [cells])
    assert str(failure.value).startswith(f"{file}: row 2: column 'score' holds ")
    assert shown in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("score", [np.inf, -np.inf])
def test_infinite_scores_in_parquet_are_refused_by_row_and_value(
    cells: Measured, tmp_path: Path, score: float
) -> None:
    file = tmp_path / "s.parquet"
    pq.write_table(pa.table({"arch_id": ["a", "b"], "score": [1.0, score]}), file)
    with pytest.raises(SnapError, match=rf"^{file}: row 2: column 'score' holds {score}[^\n]*$"):
        read_scorers([str(file)], [cells])


def test_empty_and_nan_scores_are_missing(cells: Measured, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(f"arch_id,score\na,\nb,nan\nc,{2**53}\n")
    (one,) = read_scorers([str(tmp_path / "s.csv")], [cells])
    assert _scores(one, cells) == [None, None, 2**53, None]
    assert one.place(cells).found.tolist() == [False, True, True, False]


@pytest.mark.parametrize("character", ["\n", "\t", "\x1b", "\u2028"])
def test_a_scorer_whose_name_does_not_print_is_refused_in_one_line(
    cells: Measured, tmp_path: Path, character: str
) -> None:
    file = tmp_path / "s.csv"
    file.write_text("arch_id,score\na,1\n")
    with pytest.raises(SnapError) as failure:
        read_scorers([f"na{character}me={file}"], [cells])
    name = f"na{character}me"
    assert str(failure.value).startswith(f"{file}: the name {name!r} holds characters that do not")


def test_a_file_that_exists_is_that_file_and_no_pattern(cells: Measured, tmp_path: Path) -> None:
    for name, score in (("mine[1].csv", 2), ("mine1.csv", 1), ("x=y:z.csv", 3)):
        (tmp_path / name).write_text(f"arch_id,score,more\na,{score},7\n")
    folder = tmp_path / "x[1]"
    folder.mkdir()
    (folder / "a.csv").write_text("arch_id,score\na,4\n")
    for spec, score in (
        ("mine[1].csv", 2),
        ("mine[1].csv:more", 7),
        ("x=y:z.csv", 3),
        ("mine[0-9].csv", 1),
    ):
        (one,) = read_scorers([f"{tmp_path / spec}"], [cells])
        assert _scores(one, cells)[0] == score, spec
    with pytest.raises(SnapError, match="no such file"):
        read_scorers([f"{tmp_path}/mine[2-9].csv"], [cells])
    (one,) = read_scorers([f"named={folder}/a.csv"], [cells])
    assert (one.name, _scores(one, cells)[0]) == ("named", 4)


@pytest.mark.parametrize("column", ["arch", "arch_id"])
def test_names_that_look_like_numbers_match_as_they_are_written(
    make_graphs: Make, tmp_path: Path, column: str
) -> None:
    names = sorted(["001", "1", "1e5", "100000.0", "true", "nan"])
    cells = as_measured(make_graphs(names, {ACCURACY: list(range(6))}))
    text = f"{column},score\n" + "".join(f"{n},{i}\n" for i, n in enumerate(names))
    (tmp_path / "t.csv").write_text(text)
    (one,) = read_scorers([str(tmp_path / "t.csv")], [cells])
    assert _scores(one, cells) == [0, 1, 2, 3, 4, 5]


def test_where_nothing_matches_one_name_of_each_side_is_shown(
    cells: Measured, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("arch_id,score\n001,2\n")
    (one,) = read_scorers([str(tmp_path / "t.csv")], [cells])
    with pytest.raises(SnapError, match=r"in common: the first are '001' of nb201 and 'a' of nb20"):
        one.unmatched([cells])


@pytest.mark.parametrize(
    "names",
    [pa.array([["a"]]), pa.array([{"a": 1}]), pa.array([b"a"]), pa.array([1.5])],
    ids=lambda names: str(names.type),
)
@pytest.mark.parametrize("column", ["space", "arch_id"])
def test_names_that_are_no_text_are_refused_in_one_line(
    cells: Measured, tmp_path: Path, column: str, names: pa.Array
) -> None:
    table = {"space": ["nb201"], "arch_id": ["a"], "score": [1.0]} | {column: names}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    with pytest.raises(SnapError, match=f"column '{column}' must hold text, not [^\n]*$"):
        read_scorers([str(tmp_path / "t.parquet")], [cells])


@pytest.mark.parametrize("file", ["gone.csv", "gone.parquet", "gone*.parquet"])
def test_a_missing_file_is_refused(cells: Measured, file: str) -> None:
    with pytest.raises(SnapError, match="no such file"):
        read_scorers([file], [cells])


@pytest.mark.parametrize("spec", ["", "name=", ":"])
def test_a_specification_that_names_nothing_is_refused(cells: Measured, spec: str) -> None:
    with pytest.raises(SnapError, match="names no scores"):
        read_scorers([spec], [cells])


def test_an_operator_that_no_cell_has_is_refused(cells: Measured) -> None:
    with pytest.raises(SnapError, match="no cell has an operator 'conv'"):
        read_scorers([":count:conv"], [cells])


def test_cells_of_several_spaces_need_a_column_space(make_graphs: Make, tmp_path: Path) -> None:
    graphs = make_graphs(["a", "b"], {ACCURACY: [1, 2]}, spaces=["nb101", "nb201"])
    (tmp_path / "theirs.csv").write_text("arch,score\na,1\n")
    with pytest.raises(SnapError, match="no column 'space' says to which of nb101, nb201"):
        read_scorers([str(tmp_path / "theirs.csv")], [as_measured(graphs, "both")])


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({}, "'snap.scorer' is missing"),
        ({"snap.scorer": "gcn", "snap.seed": "x"}, "'snap.seed' is 'x'"),
    ],
)
def test_scores_of_unclear_origin_are_refused(
    make_scores: Make, metadata: Mapping[str, str], problem: str
) -> None:
    with pytest.raises(SnapError, match=problem):
        as_scorer(make_scores(["a"], [1], metadata=metadata))


def test_common_ranks_are_those_among_the_cells_that_all_score(
    cells: Measured, make_scores: Make
) -> None:
    one = as_scorer(make_scores(list("abc"), [10, 30, 20]))
    groups = {"one": [one], "acc": read_scorers([":test"], [cells])}
    common, ranks = common_ranks(groups, cells)
    assert common.tolist() == [0, 1, 2]
    np.testing.assert_allclose(ranks, [[1 / 6, 5 / 6, 1 / 2], [1 / 6, 1 / 2, 5 / 6]])


def test_a_cell_on_which_a_scorer_failed_ranks_last_by_it(
    cells: Measured, make_scores: Make
) -> None:
    one = as_scorer(make_scores(list("abcd"), [10, NO_SCORE, 20, NO_SCORE]))
    common, ranks = common_ranks({"one": [one]}, cells)
    assert common.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(ranks, [[5 / 8, 1 / 4, 7 / 8, 1 / 4]])
