"""The report: from a folder of Parquet files to one page."""

import base64
import csv
import io
import itertools
import json
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from snap_catalog import SnapError
from snap_catalog.parquet import write
from snap_eval import correlations
from snap_eval.cli import main
from snap_eval.independence import independence
from snap_eval.measured import as_measured, targets
from snap_eval.report.correlated import chosen, ranked
from snap_eval.report.curves import labelled
from snap_eval.report.figures import Absent, Chart, Entry, Skipped, Table, as_csv, entry, slug
from snap_eval.report.matched import matches
from snap_eval.report.results import Results, read_results
from snap_eval.report.sections import SECTIONS
from snap_eval.report.sections.tables import measured as measurements_of
from snap_eval.scorer_files import read_scorers
from snap_eval.scorers import Scorer, as_scorer, as_scorers
from snap_graphs import graph_table, space
from snap_graphs.spaces import defined_space
from snap_graphs.spaces.custom import DEFINITION
from snap_graphs.table import Metric, append_metric

ACCURACY = "cifar10/test/accuracy@200"
LATENCY = "hw/edgegpu/latency_ms"
CELLS = 300


def _graphs() -> pa.Table:
    """Cells of NAS-Bench-201 from all over it, with made-up measurements."""
    cells = list(itertools.islice(space("nb201").enumerate(), 0, None, 52))[:CELLS]
    table = graph_table("nb201", cells)
    size = np.log(table["params"].to_numpy().astype(float))
    noise = np.random.default_rng(0).normal(size=CELLS)
    table = append_metric(table, ACCURACY, Metric(60 + 2 * size + noise, "max", "percent"))
    table = append_metric(table, LATENCY, Metric(np.exp(size / 4), "min", "ms"))
    return table.replace_schema_metadata({"snap.benchmark": "nb201", "snap.licence": "MIT"})


def _scores(graphs: pa.Table, name: str, seed: int, noise: float) -> pa.Table:
    drawn = np.random.default_rng(seed).normal(size=CELLS) * noise
    columns = {
        "space": graphs["space"],
        "arch_id": graphs["arch_id"],
        "score": graphs[ACCURACY].to_numpy() + drawn,
        "spread": pa.nulls(CELLS, pa.float64()),
        "novelty": pa.nulls(CELLS, pa.float64()),
    }
    return pa.table(columns, metadata={"snap.scorer": name, "snap.seed": str(seed)})


def _search(graphs: pa.Table, algorithm: str, seed: int) -> tuple[pa.Table, dict[str, str]]:
    rows = np.random.default_rng(seed).permutation(CELLS)[:50]
    picked = graphs.take(pa.array(rows))
    columns = {
        "evaluation": pa.array(range(50), pa.int32()),
        "generation": pa.array([0] * 50, pa.int32()),
        "space": picked["space"],
        "arch_id": picked["arch_id"],
        "cell_hash": picked["cell_hash"],
        "score": picked[ACCURACY].to_numpy(),
        "seconds": np.arange(50) / 10,
    }
    facts = {"snap.scorer": "good", "snap.algorithm": algorithm, "snap.seed": str(seed)}
    return pa.table(columns), facts


def _trials() -> pa.Table:
    rows = [
        {
            "setting": json.dumps({"share trained on (%)": share, "cells": share * 100}),
            "quantity": quantity,
            "seed": seed,
            "value": 0.5 + share / 300 + seed / 100,
            "reported": 0.6 if share == 90 else None,
        }
        for share, quantity, seed in itertools.product(
            (1, 90), ("spearman", "kendall_tau_b"), range(3)
        )
    ]
    types = [pa.string(), pa.string(), pa.int64(), pa.float64(), pa.float64()]
    return pa.Table.from_pylist(rows, pa.schema(list(zip(rows[0], types, strict=True))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of every kind, of two predictors and a baseline."""
    folder = tmp_path_factory.mktemp("results")
    for name in ("graphs", "scores", "search", "tables"):
        (folder / name).mkdir()
    graphs = _graphs()
    write(graphs, folder / "graphs" / "nb201.parquet", "graphs", producer="snap-eval")
    scorers: list[Scorer] = []
    for name, seed, noise in (("good", 0, 0.5), ("good", 1, 0.5), ("poor", 0, 9.0)):
        table = _scores(graphs, name, seed, noise)
        path = folder / "scores" / f"{name}-{seed}.parquet"
        write(table, path, "scores", producer="snap-eval")
        scorers.append(as_scorer(table))
    sizes = graphs.select(["space", "arch_id"]).append_column(
        "score", graphs["params"].cast(pa.float64())
    )
    scorers.append(Scorer("params", None, sizes, "graphs", is_baseline=True))
    benchmark = as_measured(graphs)
    aims = targets([benchmark], [ACCURACY, LATENCY])
    table = correlations.correlate(scorers, aims, flip=True, bootstrap=20)
    write(table, folder / "correlations.parquet", "correlations", producer="snap-eval")
    pairs = independence(scorers, [benchmark], cells=100)
    write(pairs, folder / "independence.parquet", "independence", producer="snap-eval")
    for algorithm, seed in itertools.product(("de", "random"), range(2)):
        history, facts = _search(graphs, algorithm, seed)
        path = folder / "search" / f"{algorithm}-{seed}.parquet"
        write(history, path, "search", producer="snap-eval", metadata=facts)
    facts = {"snap.title": "Sizes", "snap.command": "make sizes", "snap.population": "Some cells"}
    path = folder / "tables" / "figure-6-training-size.parquet"
    write(_trials(), path, "trials", producer="snap-eval", metadata=facts)
    return folder


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return read_results(folder)


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("page") / "report.html"
    assert _report(out, folder).exit_code == 0
    return out.read_text("utf-8")


def _report(out: Path, results: Path, *words: str) -> Result:
    arguments = ["report", str(out), "--results", str(results), *words]
    return CliRunner().invoke(main, arguments)


def _parts(results: Results) -> dict[str, Chart | Table]:
    parts = (part for section in SECTIONS for part in section.parts(results))
    return {part.name: part for part in parts if isinstance(part, Chart | Table)}


def _absent(results: Results) -> list[str]:
    parts = (part for section in SECTIONS for part in section.parts(results))
    return [part.what for part in parts if isinstance(part, Absent)]


def test_a_page_names_every_part_and_everything_that_is_absent(page: str, results: Results) -> None:
    parts = _parts(results)
    assert {"summary", "heat-map", "bars", "correlations", "best-cells", "found"} <= parts.keys()
    for part in parts.values():
        assert f'id="{part.name}"' in page
        assert f'download="{part.name}.csv"' in page
    assert any(what.startswith("Table 2") for what in _absent(results))
    assert "snap-graphs convert nb101" in page


def test_a_page_loads_nothing(page: str) -> None:
    markup = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    sources = re.findall(r'(?:src|href)="([^"]*)"', markup)
    assert sources
    assert [s for s in sources if not s.startswith(("data:", "#"))] == []
    assert "default-src 'none'" in markup


def test_equal_results_give_equal_pages(page: str, folder: Path, tmp_path: Path) -> None:
    assert _report(tmp_path / "again.html", folder).exit_code == 0
    assert (tmp_path / "again.html").read_text("utf-8") == page


def test_a_download_holds_what_is_drawn(page: str, results: Results) -> None:
    links = dict(re.findall(r'download="([^"]*)\.csv" href="([^"]*)"', page))
    for name, part in _parts(results).items():
        text = unquote(links[name].replace("&amp;", "&").replace("&#39;", "'").split(",", 1)[1])
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0] == part.data.column_names
        assert len(rows) - 1 == part.data.num_rows


def test_the_better_predictor_comes_first_and_baselines_last(results: Results) -> None:
    rows = [row for row in chosen(results, "spearman") if row["metric"] == ACCURACY]
    assert ranked(rows) == ["good", "poor", "params"]


def test_baselines_have_the_sign_that_favours_them_and_predictors_their_own(
    results: Results,
) -> None:
    rows = [row for row in chosen(results, "spearman") if row["metric"] == LATENCY]
    signs = {row["scorer"]: row["sign"] for row in rows}
    assert signs == {"good": 1, "poor": 1, "params": -1}
    assert all(row["value"] < 0 for row in rows if row["scorer"] != "params")


def test_the_heat_map_shows_scorers_with_the_sign_that_they_have(results: Results) -> None:
    rows = _parts(results)["heat-map"].data.to_pylist()
    (size,) = (r for r in rows if r["column"] == "params" and LATENCY in r["row"])
    assert size["value"] < -0.99
    assert size["row"].endswith(f", n = {size['cells']:,}")


def test_the_summary_counts_where_no_baseline_is_ahead(results: Results) -> None:
    rows = {row["predictor"]: row for row in _parts(results)["summary"].data.to_pylist()}
    assert rows["good"]["seeds"] == 2
    assert rows["good"]["develop: ahead"] == "1 of 1"
    assert rows["poor"]["test: ahead"] == "0 of 1"


def test_bars_keep_their_interval_around_the_value(results: Results) -> None:
    for bar in _parts(results)["bars"].data.to_pylist():
        assert bar["low"] <= bar["value"] <= bar["high"]


def test_every_cell_is_in_one_field_of_a_density(results: Results) -> None:
    data = _parts(results)["ranks-good"].data
    counts = data.group_by("panel").aggregate([("cells", "sum")])["cells_sum"].to_pylist()
    assert counts == [CELLS, CELLS]


def test_of_several_seeds_the_first_is_matched(results: Results) -> None:
    found = {(m.scorer, m.metric): m for m in matches(results)}
    assert found["good", ACCURACY].seed == 0
    assert found["good", LATENCY].oriented.tolist() == (-found["good", LATENCY].measured).tolist()


def test_favourites_are_the_cells_with_the_highest_scores(results: Results) -> None:
    matched = next(m for m in matches(results) if (m.scorer, m.metric) == ("good", ACCURACY))
    rows = _parts(results)["best-cells"].data.to_pylist()
    mine = [r for r in rows if r["predictor"] == "good" and r["metric"] == ACCURACY]
    order = np.argsort(-matched.score)[:3]
    assert [r["cell"] for r in mine] == matched.cells["arch_id"].take(pa.array(order)).to_pylist()
    assert mine[0]["true rank"] == 1 + int((matched.measured > mine[0]["measured"]).sum())


def test_every_cell_named_in_a_table_is_drawn(page: str, results: Results) -> None:
    drawings = json.loads(re.findall(r'id="drawings">(.*?)</script>', page)[0])
    numbers = {int(n) for n in re.findall(r'data-drawing="(\d+)"', page)}
    assert numbers == set(range(len(drawings)))
    for drawing in drawings:
        assert b"<svg" in base64.b64decode(drawing.split(",")[1])


def test_search_curves_never_fall_and_end_at_the_best_score(results: Results) -> None:
    data = _parts(results)["search-nb201-good"].data.to_pylist()
    for series in ("de", "random"):
        means = [row["mean"] for row in data if row["series"] == series]
        assert means == sorted(means)
        ends = [row["last"] for row in data if row["series"] == series]
        assert ends == [0] * (len(ends) - 1) + [1]
    best = {row["best score"] for row in _parts(results)["found"].data.to_pylist()}
    assert max(row["high"] for row in data) == pytest.approx(max(best))


def test_trials_are_told_by_mean_and_deviation_beside_the_papers_figures(
    results: Results,
) -> None:
    table = _parts(results)["figure-6-training-size"]
    assert isinstance(table, Table)
    assert table.head[-4:] == [
        "spearman",
        "spearman, paper",
        "kendall_tau_b",
        "kendall_tau_b, paper",
    ]
    assert [e.text for e in table.rows[1][2:5]] == ["3", "0.810 ± 0.010", "0.600"]
    assert table.rows[0][4].text == ""


def test_a_setting_that_only_the_paper_has_tried_stays_empty(results: Results) -> None:
    rows = [
        {"setting": '{"a": 1}', "quantity": "q", "seed": None, "value": None, "reported": 0.5},
        {"setting": '{"a": 2}', "quantity": "q", "seed": 0, "value": 0.25, "reported": None},
    ]
    file = results.of("trials")[0]
    file = type(file)("name", pa.Table.from_pylist(rows), file.facts)
    found = measurements_of(file)
    assert found['{"a": 1}']["q"].mean is None
    assert found['{"a": 1}']["q"].reported == 0.5
    assert found['{"a": 2}']["q"].deviation is None


def test_names_of_curves_that_meet_stand_apart() -> None:
    ends = {"a": 1.0, "b": 1.0, "c": 0.2}
    points = [
        {"series": series, "x": x, "mean": mean * x, "low": 0.0, "high": mean * x}
        for series, mean in ends.items()
        for x in (0.5, 1)
    ]
    labels = [row["label"] for row in labelled(points).to_pylist() if row["last"]]
    assert labels == pytest.approx([1.0, 1.06, 0.2])


def test_names_of_parts_may_stand_in_an_address() -> None:
    assert slug("ranks", "paper (full schedule)") == "ranks-paper-full-schedule"
    assert slug("search", "nb201", "gcn:snap") == "search-nb201-gcn-snap"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (15625, "15,625"),
        (0.12345, "0.123"),
        (1073466.0, "1,073,466"),
        (0.0014, "0.0014"),
        (0.0, "0.000"),
        ("x", "x"),
    ],
)
def test_values_are_written_for_readers(value: object, text: str) -> None:
    assert entry(value).text == text


def test_entries_of_words_are_sorted_as_words() -> None:
    assert Entry("x").order is None


def test_csv_quotes_what_needs_it_and_rounds() -> None:
    table = pa.table({"a": ['x, "y"', "|z~0|"], "b": [1 / 3, None]})
    assert list(csv.reader(io.StringIO(as_csv(table)))) == [
        ["a", "b"],
        ['x, "y"', "0.333333"],
        ["|z~0|", ""],
    ]


MINE = """
name = "mine"
nodes = 3
edges = "all"
[operators]
conv = "Convolution 3x3"
pool = "Max pooling"
"""


def _own_search(folder: Path, facts: dict[str, str], *, name: str = "search") -> Results:
    """Read a folder with a search of a space that only the user knows."""
    mine = defined_space(MINE, "mine.toml")
    graphs = graph_table(mine, list(itertools.islice(mine.enumerate(), 5)))
    columns = {
        "evaluation": pa.array(range(5), pa.int32()),
        "generation": pa.array([0] * 5, pa.int32()),
        **{name: graphs[name] for name in ("space", "arch_id", "cell_hash")},
        "score": pa.array([1.0, 5.0, None, 3.0, 2.0]),
        "seconds": np.arange(5) / 10,
    }
    facts = {"snap.scorer": "gcn", "snap.algorithm": "de", "snap.seed": "0"} | facts
    path = folder / f"{name}.parquet"
    write(pa.table(columns), path, "search", producer="snap-eval", metadata=facts)
    return read_results(folder)


def _skipped(results: Results) -> dict[str, str]:
    parts = (part for section in SECTIONS for part in section.parts(results))
    return {part.what: part.why for part in parts if isinstance(part, Skipped)}


def test_a_search_of_ones_own_space_is_drawn_by_the_definition_in_its_file(tmp_path: Path) -> None:
    results = _own_search(tmp_path, {DEFINITION: MINE})
    found = _parts(results)["found"]
    assert isinstance(found, Table)
    (drawing,) = found.drawings.values()
    assert "conv" in drawing
    assert _skipped(results) == {}


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, "unknown"),
        ({DEFINITION: "not TOML ["}, "search.parquet"),
        ({DEFINITION: MINE.replace("mine", "other")}, "defines the space 'other'"),
        ({DEFINITION: MINE.replace("conv", "other")}, "not a cell of mine"),
    ],
)
def test_a_search_whose_space_is_unclear_is_shown_without_its_drawing(
    tmp_path: Path, facts: dict[str, str], why: str
) -> None:
    results = _own_search(tmp_path, facts)
    found = _parts(results)["found"]
    assert isinstance(found, Table)
    assert (len(found.rows), found.drawings) == (1, {})
    ((what, reason),) = _skipped(results).items()
    assert "search.parquet" in what
    assert why in reason
    assert _report(tmp_path / "r.html", tmp_path).exit_code == 0
    assert "What could not be shown" in (tmp_path / "r.html").read_text("utf-8")


def test_the_front_of_a_search_is_no_search_of_its_own(tmp_path: Path) -> None:
    _own_search(tmp_path, {DEFINITION: MINE}, name="front")
    results = _own_search(tmp_path, {DEFINITION: MINE})
    assert len(_parts(results)["found"].data) == 1


def test_a_search_without_a_score_is_named(
    tmp_path: Path, make_search: Callable[..., pa.Table]
) -> None:
    table = make_search(["a"], {})
    place = table.column_names.index("score")
    table = table.set_column(place, "score", pa.array([None], pa.float64()))
    write(table, tmp_path / "s.parquet", "search", producer="snap-eval")
    write(make_search([], {}), tmp_path / "none.parquet", "search", producer="snap-eval")
    why = "no candidate of this search has a score"
    assert _skipped(read_results(tmp_path)) == {"none.parquet": why, "s.parquet": why}


def test_what_the_page_cannot_show_is_named(
    folder: Path, tmp_path: Path, make_graphs: Callable[..., pa.Table]
) -> None:
    (tmp_path / "c.parquet").write_bytes((folder / "correlations.parquet").read_bytes())
    _foreign(tmp_path)
    (tmp_path / ".c-temporary.parquet").write_bytes(b"PAR1")
    several = make_graphs(["a", "b"], {}, spaces=["x", "y"])
    write(several, tmp_path / "g.parquet", "graphs", producer="snap-eval")
    found = _skipped(read_results(tmp_path))
    assert found.keys() == {"bad.parquet", "g.parquet"}
    assert "several spaces" in found["g.parquet"]


def _own_benchmark(tmp_path: Path) -> Results:
    graphs = _graphs().replace_schema_metadata({"snap.benchmark": "mine"})
    table = _scores(graphs, "brought", 0, 0.5).replace_schema_metadata({"snap.scorer": "brought"})
    scorers = [
        as_scorer(table),
        *read_scorers([":params"], [as_measured(graphs)]),
    ]
    aims = targets([as_measured(graphs)], [ACCURACY])
    found = correlations.correlate(scorers, aims, flip=True, bootstrap=20)
    write(found, tmp_path / "c.parquet", "correlations", producer="snap-eval")
    return read_results(tmp_path)


def test_scorers_of_one_file_are_predictors_of_their_own(tmp_path: Path) -> None:
    graphs = _graphs().replace_schema_metadata({"snap.benchmark": "mine"})
    write(graphs, tmp_path / "g.parquet", "graphs", producer="snap-eval")
    tables = [_scores(graphs, name, 0, noise) for name, noise in (("good", 0.5), ("poor", 9.0))]
    parts = [
        table.append_column("scorer", pa.array([name] * CELLS))
        for name, table in zip(("good", "poor"), tables, strict=True)
    ]
    both = pa.concat_tables(parts)
    write(both, tmp_path / "s.parquet", "scores", producer="snap-eval")
    benchmark = as_measured(graphs)
    found = correlations.correlate(as_scorers(both), targets([benchmark], [ACCURACY]), bootstrap=5)
    write(found, tmp_path / "c.parquet", "correlations", producer="snap-eval")
    matched = {one.scorer: one.score.tolist() for one in matches(read_results(tmp_path))}
    assert matched == {
        name: as_scorer(table).place(benchmark).score.tolist()
        for name, table in zip(("good", "poor"), tables, strict=True)
    }
    assert _report(tmp_path / "r.html", tmp_path).exit_code == 0


def test_scores_without_a_seed_that_a_user_brings_are_a_predictor(tmp_path: Path) -> None:
    parts = _parts(_own_benchmark(tmp_path))
    assert [row["predictor"] for row in parts["summary"].data.to_pylist()] == ["brought"]
    kinds = {row["scorer"]: row["kind"] for row in parts["bars"].data.to_pylist()}
    assert kinds == {"brought": "predictor", "params": "baseline"}


def test_nothing_is_claimed_of_the_role_of_a_benchmark_that_is_not_catalogued(
    tmp_path: Path,
) -> None:
    _own_benchmark(tmp_path)
    assert _report(tmp_path / "r.html", tmp_path).exit_code == 0
    page = (tmp_path / "r.html").read_text("utf-8")
    shown = page[page.index("<main>") : page.index('id="absent"')]
    assert "not in the catalog: mean rho" in shown
    for claim in ("role test", "[unknown]", "unknown", "develop", "role is in brackets"):
        assert claim not in shown


@pytest.mark.parametrize("entry", ["{", "3", "[" * 100_000])
def test_a_damaged_list_of_baselines_is_refused_by_name(
    folder: Path, tmp_path: Path, entry: str
) -> None:
    table = pq.read_table(folder / "correlations.parquet")
    damaged = table.schema.with_metadata(table.schema.metadata | {b"snap.baselines": entry})
    pq.write_table(table.cast(damaged), tmp_path / "c.parquet")
    done = _report(tmp_path / "r.html", tmp_path)
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert "c.parquet: its metadata entry 'snap.baselines'" in done.stderr


def test_pairs_of_scorers_may_be_incomplete(folder: Path, tmp_path: Path) -> None:
    table = pq.read_table(folder / "independence.parquet")
    rows = table.to_pylist()
    rows[0]["other"] = "gone"
    changed = pa.Table.from_pylist(rows, table.schema)
    pq.write_table(changed, tmp_path / "i.parquet")
    chart = _parts(read_results(tmp_path))["independence-nb201"]
    assert len(chart.data) == len(rows)


def test_correlations_alone_are_enough(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "c.parquet").write_bytes((folder / "correlations.parquet").read_bytes())
    results = read_results(tmp_path)
    assert {"summary", "heat-map", "bars", "correlations"} == _parts(results).keys()
    assert any("Figures 4 and 8" in what for what in _absent(results))


def test_a_scorer_without_any_defined_correlation_is_not_drawn(
    folder: Path, tmp_path: Path
) -> None:
    graphs = _graphs()
    flat = graphs.select(["space", "arch_id"]).append_column("score", pa.array([1.0] * CELLS))
    aims = targets([as_measured(graphs)], [ACCURACY])
    table = correlations.correlate([Scorer("flat", None, flat, "f")], aims, bootstrap=0)
    write(table, tmp_path / "c.parquet", "correlations", producer="snap-eval")
    assert _parts(read_results(tmp_path)) == {}


def _damaged(folder: Path) -> None:
    (folder / "bad.parquet").write_bytes(b"PAR1 no more")


def _foreign(folder: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), folder / "bad.parquet")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: None, "holds no Parquet file"),
        (_damaged, "bad.parquet: not a readable Parquet file"),
        (_foreign, "holds no Parquet file of the SNAP tools"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_one_line(
    spoil: Callable[[Path], None], told: str, tmp_path: Path
) -> None:
    (tmp_path / "results").mkdir()
    spoil(tmp_path / "results")
    done = _report(tmp_path / "out.html", tmp_path / "results")
    assert done.exit_code == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.html").exists()


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(SnapError, match="no such folder"):
        read_results(tmp_path / "nowhere")


def test_a_place_that_cannot_be_written_is_told(folder: Path, unwritable: Path) -> None:
    done = _report(unwritable / "out.html", folder)
    assert done.exit_code == 1
    assert "cannot write here" in done.stderr


def test_a_missing_extra_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "snap_catalog.extras.find_spec", lambda name: None if name == "altair" else find_spec(name)
    )
    done = _report(tmp_path / "out.html", folder)
    assert done.exit_code == 1
    assert "altair" in done.stderr
    assert "pip install 'snap-eval[report]'" in done.stderr


def test_the_default_folder_is_results(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["report", "out.html", "--quiet", "--title", "Mine <&>"])
    assert done.exit_code == 0
    assert done.output == ""
    assert "<title>Mine &lt;&amp;&gt;</title>" in (tmp_path / "out.html").read_text("utf-8")
