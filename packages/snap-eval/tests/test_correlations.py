from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, validate
from snap_eval import (
    Measured,
    Scorer,
    as_measured,
    as_scorer,
    correlate,
    read_measured,
    read_scorers,
    targets,
)
from snap_eval.statistics import names

Make = Callable[..., pa.Table]
ACCURACY = "cifar10/test/accuracy@200"
ENERGY = "hw/toaster/joules"
NAMES = list("abcdefgh")
VALUES = [90.0, 91.5, 92.0, 93.1, 94.0, 94.0, 10.0, 50.0]
CORRELATIONS = ["pearson", "spearman", "kendall_tau_b", "weighted_tau"]


def _values(table: pa.Table, population: str = "all") -> dict[str, float | None]:
    rows = [row for row in table.to_pylist() if row["population"] == population]
    return {row["statistic"]: row["value"] for row in rows}


def _cells(n: int, metrics: Mapping[str, object], make_graphs: Make, **more: object) -> Measured:
    return as_measured(make_graphs([f"{i:05}" for i in range(n)], metrics, **more))


def _model(make_scores: Make, values: np.ndarray, name: str, seed: int | None = None) -> Scorer:
    told = {"snap.scorer": name} | ({} if seed is None else {"snap.seed": str(seed)})
    return as_scorer(make_scores([f"{i:05}" for i in range(len(values))], values, metadata=told))


def test_the_result_keeps_the_contract_and_says_how_it_came_about(
    make_graphs: Make, make_scores: Make
) -> None:
    origin = {"snap.benchmark": "analog-nasbench", "snap.licence": "MIT", "snap.producer": "x"}
    graphs = as_measured(make_graphs(NAMES, {ACCURACY: VALUES}, metadata=origin))
    scores = make_scores(NAMES[:6], VALUES[:6], metadata={"snap.scorer": "gcn", "snap.seed": "4"})
    aims = targets([graphs], ["test/acc"])
    table = correlate([as_scorer(scores)], aims, bootstrap=30, seed=5)
    stamped = decode_metadata(table.schema)
    assert stamped == {
        "snap.licence": "MIT",
        "snap.bootstrap": "30",
        "snap.baselines": "[]",
        "snap.bootstrap_seed": "5",
    }
    validate(table, "correlations")
    assert [*_values(table)] == names()
    for row in table.to_pylist():
        assert (row["benchmark"], row["metric"], row["role"], row["direction"]) == (
            "analog-nasbench",
            ACCURACY,
            "test",
            "max",
        )
        assert (row["scorer"], row["sign"], row["seeds"]) == ("gcn", 1, [4])
        assert (row["missing"], row["failed"]) == (2, 0)
        assert row["ties"]
        has_formula = row["statistic"].startswith(("spearman", "kendall"))
        made = "closed form over cells" if has_formula else "bootstrap over cells"
        assert row["interval"] == ("none" if row["low"] is None else made)


def test_the_figures_are_scipys_over_each_population(make_graphs: Make, make_scores: Make) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 20, 200).astype(float), rng.normal(size=200)
    hashes, n_dead = rng.integers(0, 60, 200), rng.integers(0, 2, 200)
    graphs = _cells(200, {ACCURACY: y}, make_graphs, hashes=hashes.tolist(), n_dead=n_dead.tolist())
    table = correlate([_model(make_scores, x, "x")], targets([graphs]), bootstrap=0)
    alive = np.flatnonzero(n_dead == 0)
    chosen = {
        "all": np.arange(200),
        "unique": np.unique(hashes, return_index=True)[1],
        "unique_reachable": alive[np.unique(hashes[alive], return_index=True)[1]],
    }
    for population, cells in chosen.items():
        found, pair = _values(table, population), (x[cells], y[cells])
        assert found["pearson"] == pytest.approx(stats.pearsonr(*pair).statistic)
        assert found["spearman"] == pytest.approx(stats.spearmanr(*pair).statistic)
        assert found["kendall_tau_b"] == pytest.approx(stats.kendalltau(*pair).statistic)
        assert found["weighted_tau"] == pytest.approx(stats.weightedtau(*pair).statistic)
        top = np.argsort(y[cells])[-cells.size // 2 :]
        rho = stats.spearmanr(x[cells][top], y[cells][top]).statistic
        assert found["spearman@top50%"] == pytest.approx(rho)


def test_n_is_the_number_of_cells_that_a_statistic_is_of(
    make_graphs: Make, make_scores: Make
) -> None:
    graphs = _cells(200, {ACCURACY: np.arange(200.0)}, make_graphs)
    scores = _model(make_scores, np.arange(190.0), "x")
    table = correlate([scores], targets([graphs]), populations=["all"], bootstrap=0)
    sizes = {row["statistic"]: row["n"] for row in table.to_pylist()}
    assert sizes["spearman"] == sizes["best@10"] == 190
    assert [sizes[f"spearman@top{p}%"] for p in (1, 5, 10, 50)] == [2, 10, 19, 95]


@pytest.mark.parametrize(("metric", "sign"), [(ACCURACY, 1), (ENERGY, -1)])
def test_a_metric_where_less_is_better_is_negated(
    make_graphs: Make, make_scores: Make, metric: str, sign: int
) -> None:
    graphs = as_measured(make_graphs(NAMES, {metric: VALUES}))
    scores = as_scorer(make_scores(NAMES, VALUES))
    found = _values(correlate([scores], targets([graphs], [metric]), bootstrap=20))
    assert [found[s] for s in ("pearson", "spearman", "kendall_tau_b")] == [pytest.approx(sign)] * 3
    # The best of the metric is the least joules, told as measured: the scorer picks the most.
    assert found["best@1"] == 94
    assert found["regret@1"] == (0 if sign > 0 else 84)


def _kinds(y: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    gaps = np.where(rng.random(y.size) < 0.05, np.nan, y)
    return {"inverted": -y, "constant": np.ones_like(y), "random": rng.permutation(y), "gaps": gaps}


def _told(y: np.ndarray, make_graphs: Make, folder: Path) -> dict[str, list[dict[str, object]]]:
    """Rows by scorer, for the bad scorers of a CSV file."""
    graphs = _cells(y.size, {ACCURACY: y}, make_graphs)
    columns = {"arch_id": [f"{i:05}" for i in range(y.size)], **_kinds(y)}
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    (folder / "bad.csv").write_text("\n".join(lines))
    scorers = read_scorers([f"{folder}/bad.csv:{name}" for name in _kinds(y)], [graphs])
    aims = targets([graphs])
    told = correlate(scorers, aims, populations=["all"], bootstrap=100).to_pylist()
    return {name: [row for row in told if row["scorer"] == name] for name in _kinds(y)}


def test_bad_scorers_are_reported_as_what_they_are(make_graphs: Make, tmp_path: Path) -> None:
    y = np.random.default_rng(0).normal(size=400)
    told = _told(y, make_graphs, tmp_path)
    found = {
        name: {str(row["statistic"]): row for row in rows if row["statistic"] in CORRELATIONS}
        for name, rows in told.items()
    }
    for statistic in CORRELATIONS:
        chance, gaps = found["random"][statistic], found["gaps"][statistic]
        assert chance["low"] < 0 < chance["high"]  # type: ignore[operator]
        assert found["constant"][statistic]["value"] is None
        assert found["constant"][statistic]["interval"] == "none"
        assert gaps["value"] == pytest.approx(1)
        assert (gaps["missing"], gaps["failed"]) == (0, int(np.isnan(_kinds(y)["gaps"]).sum()))
        assert gaps["n"] == 400 - gaps["failed"]  # type: ignore[operator]
    for statistic in ("pearson", "spearman", "kendall_tau_b"):
        assert found["inverted"][statistic]["value"] == pytest.approx(-1)


def test_flipped_scorers_are_flagged_and_mirror_the_others(
    make_graphs: Make, make_scores: Make
) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=300)
    graphs = _cells(300, {ACCURACY: y}, make_graphs)
    scores = _model(make_scores, y + rng.normal(size=300), "x")
    table = correlate([scores], targets([graphs]), flip=True, bootstrap=50, populations=["all"])
    by_sign = {
        sign: {r["statistic"]: r for r in table.to_pylist() if r["sign"] == sign}
        for sign in (1, -1)
    }
    for statistic in ("pearson", "spearman", "kendall_tau_b", "spearman@top50%"):
        ours, flipped = by_sign[1][statistic], by_sign[-1][statistic]
        assert flipped["value"] == pytest.approx(-ours["value"])
        assert (flipped["low"], flipped["high"]) == pytest.approx((-ours["high"], -ours["low"]))
    assert by_sign[-1]["best@10"]["value"] < by_sign[1]["best@10"]["value"]


def test_of_several_seeds_the_mean_is_told_over_the_cells_that_all_score(
    make_graphs: Make, make_scores: Make
) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=300)
    graphs = _cells(300, {ACCURACY: y}, make_graphs)
    noisy = [y + noise * rng.normal(size=300) for noise in (0.1, 1, 3)]
    models = [_model(make_scores, x[: 300 - i], "gcn", i) for i, x in enumerate(noisy)]
    row = correlate(
        models, targets([graphs]), statistics=["spearman"], populations=["all"]
    ).to_pylist()[0]
    rhos = [stats.spearmanr(x[:298], y[:298]).statistic for x in noisy]
    assert row["value"] == pytest.approx(np.mean(rhos))
    assert row["deviation"] == pytest.approx(np.std(rhos, ddof=1))
    assert (row["seeds"], row["n"], row["missing"]) == ([0, 1, 2], 298, 2)
    assert row["interval"] == "linear bootstrap over cells and seeds"
    assert row["low"] < np.mean(rhos) - 0.1 < np.mean(rhos) + 0.1 < row["high"]


def test_a_population_without_cells_gets_nulls_and_n_0(
    make_graphs: Make, make_scores: Make
) -> None:
    graphs = as_measured(make_graphs(NAMES, {ACCURACY: VALUES}, n_dead=[1] * 8))
    table = correlate([as_scorer(make_scores(NAMES, VALUES))], targets([graphs]), bootstrap=20)
    rows = [row for row in table.to_pylist() if row["population"] == "unique_reachable"]
    assert {(row["n"], row["value"], row["low"]) for row in rows} == {(0, None, None)}


def test_no_resamples_give_figures_without_intervals(make_graphs: Make, make_scores: Make) -> None:
    graphs = as_measured(make_graphs(NAMES, {ACCURACY: VALUES}))
    table = correlate([as_scorer(make_scores(NAMES, VALUES))], targets([graphs]), bootstrap=0)
    assert _values(table)["spearman"] == pytest.approx(1)
    assert table["low"].null_count == table.num_rows
    assert set(table["interval"].to_pylist()) == {"none"}


def test_statistics_may_be_chosen_without_changing_their_figures(
    make_graphs: Make, make_scores: Make
) -> None:
    graphs = as_measured(make_graphs(NAMES, {ACCURACY: VALUES}))
    scorers = [as_scorer(make_scores(NAMES, VALUES[::-1]))]
    every = correlate(scorers, targets([graphs]), bootstrap=50).to_pylist()
    some = correlate(
        scorers, targets([graphs]), bootstrap=50, statistics=["best@1"], populations=["unique"]
    ).to_pylist()
    assert some == [
        row for row in every if row["statistic"] == "best@1" and row["population"] == "unique"
    ]


def test_a_scorer_is_judged_where_it_has_scores_alone(make_graphs: Make, make_scores: Make) -> None:
    one = as_measured(make_graphs(list("abc"), {ACCURACY: [1, 2, 3]}), "one")
    other = as_measured(make_graphs(list("xyz"), {ACCURACY: [1, 2, 3]}), "other")
    first = as_scorer(make_scores(list("abc"), [1, 2, 3], metadata={"snap.scorer": "first"}))
    both = as_scorer(make_scores(list("abcxyz"), [1, 2, 3, 3, 2, 1]))
    table = correlate([first, both], targets([one, other]), bootstrap=0, statistics=["spearman"])
    found = {(r["benchmark"], r["scorer"]): r["value"] for r in table.to_pylist()}
    assert found == {
        ("one", "first"): pytest.approx(1),
        ("one", "gcn"): pytest.approx(1),
        ("other", "gcn"): pytest.approx(-1),
    }


def test_a_metric_the_catalog_does_not_know_has_an_unknown_role(
    make_graphs: Make, make_scores: Make
) -> None:
    graphs = as_measured(make_graphs(NAMES, {"svhn/test/accuracy": VALUES}))
    table = correlate([as_scorer(make_scores(NAMES, VALUES))], targets([graphs]), bootstrap=0)
    assert set(table["role"].to_pylist()) == {"unknown"}


def test_scores_of_unmeasured_cells_alone_are_refused(make_graphs: Make, make_scores: Make) -> None:
    graphs = as_measured(make_graphs(["a", "b"], {ACCURACY: [None, 1]}))
    with pytest.raises(SnapError, match=r"no cell that scores scores has a value of .*accuracy"):
        correlate([as_scorer(make_scores(["a"], [1]))], targets([graphs]))


@pytest.mark.parametrize(
    ("proxy", "metric", "rho"),
    [
        ("nwot", "test", 0.81),
        ("jacov", "valid", 0.83),
        ("nwot", "valid", 0.79),
        ("proxy/cifar10/params", "valid", 0.74),
        ("zen", "valid", 0.10),
        ("params", "test", 0.75),
        ("count:*conv*", "test", 0.72),
    ],
)
def test_proxies_and_counts_rank_nas_bench_201_as_published(
    joined_nb201: Measured, proxy: str, metric: str, rho: float
) -> None:
    (one,) = read_scorers([f":{proxy}"], [joined_nb201])
    aims = targets([joined_nb201], [f"cifar10/{metric}"])
    table = correlate(
        [one], aims, statistics=["spearman"], populations=["all"], bootstrap=0
    ).to_pylist()
    assert table[0]["value"] == pytest.approx(rho, abs=0.006)
    whole = proxy in ("params", "count:*conv*")
    assert table[0]["n"] + table[0]["failed"] == (15625 if whole else 9445)


@pytest.fixture(scope="module")
def joined_nb201(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """NAS-Bench-201 with the proxies' scores of 9,445 of its cells."""
    from click.testing import CliRunner
    from snap_graphs.cli import main

    folder = tmp_path_factory.mktemp("nb201")
    source = str(shared_data / "nb201_cifar10.csv.gz")
    plain, joined = str(folder / "plain.parquet"), str(folder / "joined.parquet")
    proxies = str(shared_data / "nb201_proxies_cifar10.csv.gz")
    for command in (
        ["convert", "nb201", plain, "--source", source],
        ["join", plain, proxies, "-o", joined],
    ):
        assert CliRunner().invoke(main, command).exit_code == 0
    return read_measured(joined)


def test_the_sentinels_of_the_zen_shards_are_not_ranked(shared_data: Path) -> None:
    from snap_graphs.convert import convert

    graphs = convert("nb201", shared_data / "official" / "naslib-zc-json" / "nasbench201")
    measured = as_measured(graphs)
    (zen,) = read_scorers([":zen"], [measured])
    (row, *_) = correlate(
        [zen], targets([measured], ["test"]), statistics=["spearman"], bootstrap=0
    ).to_pylist()
    assert (row["n"], row["missing"]) == (15625 - 341, 341)
    ranked_last = graphs["proxy/cifar10/zen"].fill_null(-1e8).to_numpy()
    with_sentinels = stats.spearmanr(ranked_last, graphs[row["metric"]].to_numpy()).statistic
    assert with_sentinels == pytest.approx(0.355, abs=0.0006)
    assert row["value"] < with_sentinels - 0.01
