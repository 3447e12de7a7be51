"""A predictor that learns from what was measured."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner
from scipy.optimize import check_grad
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, read, write
from snap_eval import spearman
from snap_gcn.adaptation.adapt import adapted
from snap_gcn.adaptation.adaptation import Adaptation, Inputs, examined
from snap_gcn.adaptation.features import operator_features
from snap_gcn.adaptation.measurements import Measurements, in_file, in_table
from snap_gcn.adaptation.other_scores import OtherScores
from snap_gcn.adaptation.surrogate import (
    Points,
    Surrogate,
    _negative_log_posterior,
    _priors,
    _Terms,
)
from snap_gcn.cli import main
from snap_gcn.model.folder import load, save
from snap_gcn.predictor import Predictor
from snap_gcn.reliability.trust import assess
from snap_graphs import Cell, Graphs, graph_table, space
from snap_graphs.convert import convert

METRIC = "cifar10/test/baseline_accuracy"


@pytest.fixture(scope="module")
def analog(measured_cells: pa.Table) -> pa.Table:
    return measured_cells


@pytest.fixture(scope="module")
def accuracy(analog: pa.Table) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = analog[METRIC].to_numpy()
    return values


def labels(accuracy: npt.NDArray[np.float64], count: int) -> Measurements:
    return Measurements(METRIC, "max", np.arange(count), accuracy[:count])


def points(count: int, seed: int = 0) -> Points:
    random = np.random.default_rng(seed)
    return Points(random.normal(size=count), [random.normal(size=(count, k)) for k in (3, 5)])


def test_the_gradient_is_that_of_the_posterior() -> None:
    some = points(8)
    terms, (median, deviation) = _Terms.between(some, some), _priors(2)
    values = np.random.default_rng(1).normal(size=8)

    def at(theta: npt.NDArray[np.float64], part: int) -> float:
        return _negative_log_posterior(theta, terms, values, median, deviation)[part]  # type: ignore[return-value]

    start = median + 0.3
    assert check_grad(lambda t: at(t, 0), lambda t: at(t, 1), start) < 1e-4


def test_what_the_others_predict_is_what_they_predict_without_the_one() -> None:
    some, targets = points(7), np.random.default_rng(2).normal(size=7)
    whole = Surrogate.fit(some, targets)
    mean, std = whole.left_out(np.arange(7))
    rest = np.arange(1, 7)
    without = Surrogate.conditioned(some.take(rest), whole.theta, whole.values[rest])
    alone_mean, alone_std = without.predict(some.take(np.array([0])))
    assert mean[0] == pytest.approx(alone_mean[0])
    assert std[0] == pytest.approx(alone_std[0], rel=1e-4)


def test_a_repeated_measurement_does_not_predict_the_other_of_its_architecture() -> None:
    same = np.array([0, 0, 1, 2, 3, 4, 5])
    some, targets = points(6).take(same), np.random.default_rng(2).normal(size=7)
    whole = Surrogate.fit(some, targets)
    mean, std = whole.left_out(same)
    rest = np.arange(2, 7)
    without = Surrogate.conditioned(some.take(rest), whole.theta, whole.values[rest])
    alone_mean, alone_std = without.predict(some.take(np.array([0, 1])))
    assert mean[:2] == pytest.approx(alone_mean)
    assert std[:2] == pytest.approx(alone_std, rel=1e-4)


def test_thousands_of_measurements_all_count_though_the_search_looks_at_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("snap_gcn.adaptation.surrogate._MOST_SEARCHED", 4)
    some, targets = points(7), np.random.default_rng(2).normal(size=7)
    found, rows = Surrogate.fit(some, targets), np.arange(0, 7, 2)
    assert found.theta == pytest.approx(Surrogate.fit(some.take(rows), targets[rows]).theta)
    assert len(found.values) == 7


def test_far_from_all_measurements_the_score_decides() -> None:
    surrogate = Surrogate.fit(points(5), np.zeros(5))
    far = Points(np.array([-2.0, 0.0, 2.0]), [np.full((3, k), 40.0) for k in (3, 5)])
    mean, std = surrogate.predict(far)
    assert (np.diff(mean) > 0).all()
    assert (std > surrogate.predict(points(5))[1].max()).all()


def test_places_of_operators_are_those_counted_by_hand() -> None:
    cell = Cell(("input", "a", "b", "output"), ((0, 1), (0, 3), (1, 2), (1, 3), (2, 3)))
    graphs = Graphs.from_table(graph_table("own", [cell], arch_ids=["one"]))
    (found,) = operator_features(graphs, ["a", "b", "c"])
    in_a = [1, 1, 0, 2 / 3, 1, 1, 1 / 3, 2, 1]
    in_b = [1, 1, 0, 1 / 3, 0, 1, 2 / 3, 1, 1]
    assert found.tolist() == pytest.approx([*in_a, *in_b, *[0] * 9, 4, 5, 1])


def test_a_few_labels_order_the_rest_better(
    analog: pa.Table, accuracy: npt.NDArray[np.float64]
) -> None:
    predictor = Predictor.bundled()
    before = spearman(predictor.score(analog)[100:], accuracy[100:])
    reached = []
    for count in (10, 100):
        given = labels(accuracy, count)
        found = Adaptation.fit(predictor, analog, given.rows, given.values, less=False)
        reached.append(
            spearman(found.predict(examined(predictor, analog), analog).score[100:], accuracy[100:])
        )
    assert reached[0] > before - 0.01
    assert reached[1] > before + 0.02


def test_predictions_are_in_the_unit_of_the_metric(
    analog: pa.Table, accuracy: npt.NDArray[np.float64]
) -> None:
    predictor, given = Predictor.bundled(), labels(accuracy, 100)
    found = Adaptation.fit(predictor, analog, given.rows, given.values, less=False)
    predicted = found.predict(examined(predictor, analog), analog)
    apart = np.abs(predicted.value - accuracy)[100:]
    assert np.median(apart) < 2.5
    assert 0.6 < np.mean(apart < 1.64 * predicted.std[100:]) <= 1


def test_less_is_better_where_the_metric_says_so(
    analog: pa.Table, accuracy: npt.NDArray[np.float64]
) -> None:
    predictor, rows = Predictor.bundled(), np.arange(30)
    more = Adaptation.fit(predictor, analog, rows, accuracy[:30], less=False)
    less = Adaptation.fit(predictor, analog, rows, 100 - accuracy[:30], less=True)
    few = analog.slice(0, 40)
    found = examined(predictor, few)
    one, other = more.predict(found, few), less.predict(found, few)
    np.testing.assert_allclose(one.score, other.score, atol=1e-6)
    np.testing.assert_allclose(one.value, 100 - other.value, atol=1e-4)


@pytest.fixture(scope="module")
def folder(
    analog: pa.Table, accuracy: npt.NDArray[np.float64], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("adapted") / "model"
    save(adapted(Predictor.bundled(), analog, labels(accuracy, 50), "mine", "graphs").model, path)
    return path


def test_an_adapted_folder_scores_as_the_adaptation_that_was_saved(
    folder: Path, analog: pa.Table, accuracy: npt.NDArray[np.float64]
) -> None:
    given, predictor = labels(accuracy, 50), Predictor.bundled()
    direct = Adaptation.fit(predictor, analog, given.rows, given.values, less=False)
    found = Predictor.load(folder)
    assert found.name == "gcn:mine"
    expected = direct.predict(examined(predictor, analog), analog).score
    np.testing.assert_allclose(found.score(analog), expected, atol=1e-3)


def test_an_adapted_model_is_not_adapted_again(
    folder: Path, analog: pa.Table, accuracy: npt.NDArray[np.float64]
) -> None:
    with pytest.raises(SnapError, match="adapted already"):
        adapted(Predictor.load(folder), analog, labels(accuracy, 50), "again", "graphs")


def test_graphs_without_the_costs_that_were_looked_at_are_refused(
    accuracy: npt.NDArray[np.float64],
) -> None:
    random, darts = np.random.default_rng(0), space("darts")
    cells = [darts.decode(random.random(darts.n_variables)) for _ in range(6)]
    table = graph_table("darts", cells)
    predictor = Predictor.bundled()
    found = Adaptation.fit(predictor, table, np.arange(6), accuracy[:6], less=False)
    assert found.inputs.costs == ["params", "flops", "activations"]
    with pytest.raises(SnapError, match="params is missing for some architectures"):
        found.predict(examined(predictor, table), table.drop_columns(["params"]))


def test_costs_of_dead_operators_do_not_make_equal_networks_differ(
    folder: Path, analog: pa.Table
) -> None:
    predictor = Predictor.load(folder)
    assert predictor.model.config.adapted is not None
    assert predictor.model.config.adapted.costs == []
    alone = np.concatenate([predictor.score(analog.slice(i, 1)) for i in range(40)])
    np.testing.assert_allclose(predictor.score(analog)[:40], alone, atol=1e-3)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.pop("theta"),
        lambda t: t.update({"values": t["values"][1:]}),
        lambda t: t.update({"centre.paths": t["centre.paths"] * np.nan}),
        lambda t: t.update({"points.costs": t["points.costs"].astype(np.float32)}),
    ],
)
def test_a_damaged_surrogate_is_refused(folder: Path, change: Callable[..., None]) -> None:
    model = load(folder)
    tensors = dict(model.surrogate)
    change(tensors)
    record = model.config.adapted
    assert record is not None
    with pytest.raises(SnapError, match="run snap-gcn adapt again"):
        Adaptation.from_tensors(tensors, Inputs(record.operators, record.costs), "surrogate")


def test_the_command_writes_a_model_that_predicts(
    analog: pa.Table, accuracy: npt.NDArray[np.float64], tmp_path: Path
) -> None:
    graphs, csv, out = (tmp_path / name for name in ("g.parquet", "m.csv", "model"))
    write(analog.slice(0, 60), graphs, "graphs", producer="snap-graphs")
    ids = analog["arch_id"].to_pylist()[:20]
    lines = [f"{name},{value}" for name, value in zip(ids, accuracy[:20], strict=True)]
    csv.write_text("\n".join([f"arch_id,{METRIC}", *lines, f"{ids[0]},90.5", f"{ids[1]},"]))
    arguments = ["adapt", str(graphs), "--metric", METRIC, "--measured", str(csv), "-o", str(out)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "adapted to 21 measurements of cifar10/test/baseline_accuracy" in done.output
    assert re.search(r"leave-one-out Spearman: 0.\d\d \(0.\d\d to 0.\d\d\)", done.output)
    assert "what mattered: score" in done.output
    scores = tmp_path / "s.parquet"
    again = ["predict", str(graphs), "--model", str(out), "-o", str(scores), "--quiet"]
    assert CliRunner().invoke(main, again).exit_code == 0
    found = read(scores, "scores")
    assert np.isfinite(found["score"].to_numpy()).all()
    assert spearman(found["predicted"].to_numpy()[20:], accuracy[20:60]) > 0.7
    assert (found["predicted_std"].to_numpy() > 0).all()
    entries = decode_metadata(found.schema)
    assert (entries["snap.metric"], entries["snap.direction"]) == (METRIC, "max")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a,b\n", "no column arch_id"),
        ("arch_id,x\nnone such,1\n", "row 1: the graphs have no architecture 'none such'"),
        ("arch_id,x\n,1\n", "row 1: column 'arch_id' is empty"),
        ("space,arch_id,x\nother,{0},1\n", "row 1: the graphs have no architecture .* of 'other'"),
        ("arch_id,x\n{0},much\n", "row 1: column 'x' holds 'much'"),
        ("arch_id,x\n{0},2\n{1},inf\n", "row 2: x is inf; leave it empty"),
        ("arch_id,x\n{0}\n", "not a readable CSV table"),
        ("arch_id,x\n{0},1\n", "1 measurements of x"),
        ("arch_id,x\n{0},1\n{1},1\n", "all values of x are equal"),
        ("arch_id,y\n{0},1\n{1},2\n", "'x' fits 0 columns; choose one of: y"),
    ],
)
def test_a_bad_file_of_measurements_is_refused(
    text: str, line: str, analog: pa.Table, tmp_path: Path
) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text.format(*analog["arch_id"].to_pylist()[:2]))
    with pytest.raises(SnapError, match=line):
        in_file(analog, "x", "max", str(path))


def test_a_metric_of_unknown_direction_is_asked_for(analog: pa.Table, tmp_path: Path) -> None:
    path, ids = tmp_path / "m.csv", analog["arch_id"].to_pylist()
    path.write_text(f"arch_id,x\n{ids[0]},1\n{ids[1]},2\n")
    with pytest.raises(SnapError, match="--direction max or min"):
        in_file(analog, "x", None, str(path))


def test_failures_and_repeats_in_a_file_are_taken_for_what_they_are(
    analog: pa.Table, tmp_path: Path
) -> None:
    path, ids = tmp_path / "m.csv", analog["arch_id"].to_pylist()
    path.write_text(f"arch_id,x\n{ids[4]},1\n{ids[7]},\n{ids[4]},2\n{ids[5]},nan\n")
    found = in_file(analog, "x", "min", str(path))
    assert (found.rows.tolist(), found.values.tolist()) == ([4, 4], [1, 2])
    assert found.direction == "min"


def test_measurements_in_a_parquet_file_are_taken(analog: pa.Table, tmp_path: Path) -> None:
    few = analog.slice(3, 10)
    write(few, tmp_path / "m.parquet", "graphs", producer="snap-graphs")
    found = in_file(analog, METRIC, None, str(tmp_path / "m.parquet"))
    assert found.rows.tolist() == list(range(3, 13))
    assert found.values.tolist() == few[METRIC].to_pylist()


def test_names_that_several_spaces_share_need_the_space(tmp_path: Path) -> None:
    cell = Cell(("input", "nor_conv_3x3", "output"), ((0, 1), (1, 2)))
    both = pa.concat_tables([graph_table(s, [cell], arch_ids=["a"]) for s in ("one", "other")])
    path = tmp_path / "m.csv"
    path.write_text("arch_id,x\na,1\na,2\n")
    with pytest.raises(SnapError, match="row 1: the graphs have 'a' in several spaces"):
        in_file(both, "x", "max", str(path))
    path.write_text("arch_id,space,x\na,one,1\na,other,2\n")
    assert in_file(both, "x", "max", str(path)).rows.tolist() == [0, 1]


def test_measurements_in_the_table_are_taken(analog: pa.Table) -> None:
    found = in_table(analog, METRIC, None, "graphs")
    assert (found.metric, found.direction, len(found.values)) == (METRIC, "max", 600)


def test_a_failed_training_moves_no_prediction_at_the_other_end(
    analog: pa.Table, accuracy: npt.NDArray[np.float64]
) -> None:
    predictor, rows = Predictor.bundled(), np.arange(40)
    worst, spoilt = int(accuracy[:40].argmin()), accuracy[:40].copy()
    spoilt[worst] = -1e8
    plain, other = (
        Adaptation.fit(predictor, analog, rows, values, less=False)
        for values in (accuracy[:40], spoilt)
    )
    found = examined(predictor, analog)
    good = plain.predict(found, analog)
    same = other.predict(found, analog)
    np.testing.assert_allclose(good.score, same.score)
    better = good.score > 0
    np.testing.assert_allclose(good.value[better], same.value[better])
    assert good.value.max() < 100


def test_equal_measurements_are_predicted_alike(analog: pa.Table) -> None:
    values = np.repeat([10.0, 90.0], 10)
    predictor = Predictor.bundled()
    found = Adaptation.fit(predictor, analog, np.arange(20), values, less=False)
    predicted = found.predict(examined(predictor, analog), analog)
    assert np.isfinite(predicted).all()
    assert predicted.value[10:20].mean() > predicted.value[:10].mean()


def test_whole_networks_need_no_vectors() -> None:
    widths = np.arange(10, 40)
    nodes = pa.array([["input", "never described", "output"]] * 30, pa.list_(pa.string()))
    sources, targets = (pa.array([ends] * 30, pa.list_(pa.int16())) for ends in ([0, 1], [1, 2]))
    names, shapes = pa.array(map(str, widths)), pa.array([[[3, 8, 8], [3, 8, 8], [9]]] * 30)
    kind = pa.list_(pa.list_(pa.int32()))
    table = pa.table(
        {
            "space": pa.array(["own"] * 30),
            "arch_id": names,
            **{"nodes": nodes, "src": sources, "dst": targets, "node_shape": shapes.cast(kind)},
            **{"params": 9 * widths**2, "flops": 900 * widths**2, "activations": 100 * widths},
        }
    )
    measured = -np.abs(widths - 25.0)
    predictor = Predictor.bundled()
    given = Measurements("mine", "max", np.arange(0, 30, 2), measured[::2])
    found = adapted(predictor, table, given, "mine", "graphs")
    assert found.adapted.costs == ["params", "flops", "activations"]
    assert not {"members", "kinds", "paths"} & found.relevance.keys()
    scores = Predictor(found.model).score(table)
    assert abs(int(widths[scores.argmax()]) - 25) <= 3
    assert abs(spearman(predictor.score(table), measured)) < 0.1


@pytest.fixture
def others(analog: pa.Table, tmp_path: Path) -> str:
    """Scores of which those of one network differ, which no feature of graphs knows."""
    values = np.random.default_rng(5).normal(size=analog.num_rows)
    table = analog.select(["space", "arch_id"]).append_column("score", pa.array(values))
    for name in ("spread", "novelty"):
        table = table.append_column(name, pa.nulls(len(table), pa.float64()))
    path = str(tmp_path / "others.parquet")
    write(table, path, "scores", producer="snap-evo", metadata={"snap.scorer": "noise"})
    return path


def test_scores_of_another_scorer_are_looked_at(
    analog: pa.Table, others: str, tmp_path: Path
) -> None:
    given = OtherScores.read([others])
    known = np.array([*given.scores["noise"].values()])
    measured = Measurements("mine", "max", np.arange(100), known[:100])
    model = adapted(Predictor.bundled(), analog, measured, "mine", "graphs", given).model
    save(model, tmp_path / "model")
    alone = Predictor.load(tmp_path / "model")
    with pytest.raises(SnapError, match="graphs: the model was adapted with scores of noise; give"):
        alone.score(analog)
    scores = alone.with_scores(given).score(analog)
    assert spearman(scores[100:], known[100:]) > 0.8
    assert "with scores of noise" in (tmp_path / "model" / "README.md").read_text()


def test_every_scorer_of_a_file_is_looked_at(analog: pa.Table, others: str, tmp_path: Path) -> None:
    table, path = read(others, "scores"), str(tmp_path / "two.parquet")
    place = table.column_names.index("score")
    parts = [
        table.set_column(place, "score", pc.multiply(table["score"], factor)).append_column(
            "scorer", pa.array([name] * table.num_rows)
        )
        for name, factor in (("noise", 1.0), ("opposite", -1.0))
    ]
    write(pa.concat_tables(parts), path, "scores", producer="snap-evo")
    given = OtherScores.read([path])
    assert list(given.scores) == ["noise", "opposite"]
    scores = given.of(analog, ["opposite", "noise"])
    np.testing.assert_array_equal(scores[:, 0], -scores[:, 1])
    np.testing.assert_array_equal(scores[:, 1], table["score"].to_numpy())
    with pytest.raises(SnapError, match=r"two\.parquet: scores of noise again"):
        OtherScores.read([others, path])
    with pytest.raises(SnapError, match=r"names several \(noise, opposite\); keep one's rows"):
        in_file(analog, "score", "max", path)


def test_a_score_that_stands_for_a_failure_is_refused_by_its_row(
    others: str, tmp_path: Path
) -> None:
    table, path = read(others, "scores").slice(0, 3), str(tmp_path / "failed.parquet")
    table = table.set_column(2, "score", pa.array([1.0, -1e8, 2.0]))
    table = table.append_column("scorer", pa.array(["a", "b", "a"]))
    write(table, path, "scores", producer="snap-evo")
    with pytest.raises(SnapError, match=r"failed\.parquet: row 2: -1e\+08 is no score"):
        OtherScores.read([path])


def test_scores_that_the_model_does_not_look_at_are_refused(folder: Path, others: str) -> None:
    with pytest.raises(SnapError, match="does not use scores of noise"):
        Predictor.load(folder).with_scores(OtherScores.read([others]))


def test_architectures_and_scorers_that_scores_lack_are_named(
    analog: pa.Table, others: str
) -> None:
    given = OtherScores.read([others])
    whole = convert("nb201")
    with pytest.raises(SnapError, match=r"noise has no score of .* of nb201; score the same file"):
        given.of(whole, ["noise"], "graphs")
    with pytest.raises(SnapError, match="scores of noise again"):
        OtherScores.read([others, others])


def test_the_commands_take_scores_of_another_scorer(
    analog: pa.Table, others: str, tmp_path: Path
) -> None:
    graphs, model, scores = (str(tmp_path / name) for name in ("g.parquet", "m", "s.parquet"))
    values = analog[METRIC].to_numpy().copy()
    values[30:] = np.nan
    field = analog.schema.field(METRIC)
    column = analog.column_names.index(METRIC)
    partly = analog.set_column(column, field, pa.array(values, from_pandas=True)).slice(0, 80)
    write(partly, graphs, "graphs", producer="snap-graphs")
    arguments = [graphs, "--metric", "baseline_acc", "--features", others, "-o", model]
    done = CliRunner().invoke(main, ["adapt", *arguments])
    assert done.exit_code == 0, done.output
    again = ["predict", graphs, "--model", model, "-o", scores]
    refused = CliRunner().invoke(main, again)
    assert refused.exit_code == 1
    assert "with scores of noise" in refused.output
    done = CliRunner().invoke(main, [*again, "--features", others])
    assert done.exit_code == 0, done.output
    assert read(scores, "scores").num_rows == 80


def test_the_verdict_and_the_card_say_what_a_model_was_adapted_to(
    folder: Path, analog: pa.Table
) -> None:
    predictor = Predictor.load(folder)
    trust = assess(predictor, analog, predictor.predict(analog))
    assert re.fullmatch(
        rf"rely on this ranking as on the 50 measurements of {METRIC} it is adapted to "
        r"\(leave-one-out Spearman 0.\d\d\)",
        trust.verdict,
    )
    assert trust.expected is not None
    assert trust.expected.low > 0.5
    card = (folder / "README.md").read_text()
    assert f"- **Adapted** to 50 measurements of `{METRIC}` (`max`) in nb201: leave-one" in card


def test_a_ranking_in_another_space_than_was_measured_is_not_relied_on(folder: Path) -> None:
    random, darts = np.random.default_rng(0), space("darts")
    cells = [darts.decode(random.random(darts.n_variables)) for _ in range(12)]
    table, predictor = graph_table("darts", cells), Predictor.load(folder)
    trust = assess(predictor, table, predictor.predict(table))
    assert trust.verdict.startswith("do not rely on this ranking: the model is adapted to 50 ")
    assert trust.verdict.endswith("in nb201, and architectures are of darts")
