"""What `tools/reproduce` is made of."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from snap_catalog import benchmarks
from snap_catalog.parquet import read, write
from snap_eval.report.results import read_results
from snap_evo import load_scorer

from tools.measure import ablation
from tools.measure.encoder.lengths import Entry
from tools.reproduce import evaluation, paper_tables, predictors, proxies, sources
from tools.reproduce.page import commit, page
from tools.reproduce.paper_tables import Folders
from tools.reproduce.trials_file import Measurement, Title, reported, save
from tools.steps import Ledger, Step, digest

Made = list[str]


def _step(folder: Path, made: Made, recipe: str = "recipe", text: str = "out") -> Step:
    out = folder / "deep" / "out.txt"

    def make() -> None:
        made.append(recipe)
        out.write_text(text)

    return Step("write", out, [folder / "in.txt", folder / "model"], [recipe], make)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in.txt").write_text("in")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("weights")
    return tmp_path


def test_a_step_runs_once_also_in_a_later_run(folder: Path) -> None:
    made: Made = []
    assert Ledger(folder / "kept").run(_step(folder, made))
    assert not Ledger(folder / "kept").run(_step(folder, made))
    assert made == ["recipe"]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "in.txt").write_text("another"),
        lambda folder: (folder / "model" / "weights").write_text("heavier weights"),
        lambda folder: (folder / "model" / "weights").rename(folder / "model" / "other"),
        lambda folder: (folder / "deep" / "out.txt").unlink(),
    ],
)
def test_a_step_is_run_again_after_a_change(change: Callable[[Path], object], folder: Path) -> None:
    made: Made = []
    ledger = Ledger(folder / "kept")
    ledger.run(_step(folder, made))
    change(folder)
    assert ledger.run(_step(folder, made))


def test_steps_are_recorded_whatever_their_names(folder: Path) -> None:
    for name in ("b", "a", "c"):
        out = folder / name
        Ledger(folder).run(Step("touch", out, [], [], out.touch))
    assert not Ledger(folder).run(Step("touch", folder / "a", [], [], lambda: None))


def test_another_recipe_is_another_step(folder: Path) -> None:
    made: Made = []
    ledger = Ledger(folder / "kept")
    assert ledger.run(_step(folder, made))
    assert ledger.run(_step(folder, made, "other"))


def test_a_step_that_failed_is_not_taken_for_done(folder: Path) -> None:
    ledger = Ledger(folder / "kept")
    good = _step(folder, [])

    def fail() -> None:
        good.out.write_text("half")
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        ledger.run(Step(good.what, good.out, good.inputs, good.recipe, fail))
    assert ledger.run(good)


def test_equal_folders_have_equal_digests(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("text")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_every_benchmark_that_is_ranked_is_catalogued_and_its_metrics_have_roles() -> None:
    for name, source in sources.SOURCES.items():
        for metric in source.metrics:
            facts = benchmarks()[name].facts(metric)
            assert facts is not None
            assert facts.role in ("develop", "test")


def test_benchmarks_without_data_are_told_and_not_run(tmp_path: Path) -> None:
    lines = list(sources.missing(tmp_path))
    assert [line.split(":")[0] for line in lines] == [
        "nb201",
        "transnas-micro",
        "transnas-macro",
        "darts",
    ]
    steps = list(sources.graphs(tmp_path, tmp_path / "work", tmp_path / "results"))
    assert [step.out.stem for step in steps] == ["analog-nasbench", "nb-graph"]


def test_networks_are_run_of_benchmarks_that_are_there(tmp_path: Path) -> None:
    assert list(proxies.scores(tmp_path)) == []
    for name in ("darts", "analog-nasbench"):
        graphs = sources.graphs_file(tmp_path, name)
        graphs.parent.mkdir(exist_ok=True)
        graphs.touch()
    steps = list(proxies.scores(tmp_path))
    folder = tmp_path / "scores" / "darts"
    assert [step.out for step in steps] == [folder / "proxies.parquet", folder / "grasp.parquet"]
    assert all(load_scorer(step.recipe[step.recipe.index("--scorer") + 1]) for step in steps)


def test_the_combination_waits_for_the_scores_of_all_develop_benchmarks(tmp_path: Path) -> None:
    spaces = ("nb201", "transnas-micro", "transnas-macro", "darts")
    for space in spaces:
        assert list(evaluation.combination(tmp_path)) == []
        for path in (
            sources.graphs_file(tmp_path, space),
            tmp_path / "scores" / space / "proxies.parquet",
            tmp_path / "scores" / space / "snap-0.parquet",
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (step,) = evaluation.combination(tmp_path)
    assert step.out == evaluation.combined_file(tmp_path)
    assert len(step.inputs) == 3 * len(spaces)


def test_without_anything_to_train_on_the_bundled_predictors_stand_in(tmp_path: Path) -> None:
    found = predictors.models(tmp_path, tmp_path)
    assert [(model.scorer, model.seed) for model in found] == [("snap", 0), ("paper", 0)]
    assert all(model.operators.exists() for model in found)


def test_cells_of_one_space_are_scored_once(tmp_path: Path) -> None:
    model = predictors.models(tmp_path, tmp_path)[0]
    for name in ("analog-nasbench", "darts"):
        path = sources.graphs_file(tmp_path, name)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    steps = list(predictors.scores(tmp_path, [model]))
    assert [step.out.parent.name for step in steps] == ["darts", "nb201"]
    sources.graphs_file(tmp_path, "nb201").touch()
    scored = [step.inputs[0].stem for step in predictors.scores(tmp_path, [model])]
    assert scored == ["nb201", "darts"]


def test_proxies_are_joined_where_there_are_any(tmp_path: Path) -> None:
    (tmp_path / "nb201_cifar10.csv.gz").touch()
    assert "without zero-cost proxies" in "".join(sources.missing(tmp_path))
    steps = sources.graphs(tmp_path, tmp_path / "work", tmp_path / "results")
    assert [step.what for step in steps if "nb201" in step.out.stem] == ["convert"]
    (tmp_path / "nb201_proxies_cifar10.csv.gz").touch()
    steps = sources.graphs(tmp_path, tmp_path / "work", tmp_path / "results")
    assert [step.what for step in steps if "nb201" in step.out.stem] == ["convert", "join"]


def test_baselines_are_of_the_metrics_own_data_set(tmp_path: Path) -> None:
    from snap_graphs import graph_table, space

    home = space("nb201")
    graphs = graph_table("nb201", home.sample(9, seed=0))
    for name in ("proxy/cifar10/zen", "proxy/cifar100/zen", "proxy/cifar10/params"):
        field = pa.field(name, pa.float64(), metadata={"direction": "max"})
        graphs = graphs.append_column(field, pa.array([1.0] * 9))
    write(graphs, tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    path, metric = tmp_path / "g.parquet", "cifar10/test/accuracy@200"
    words = list(evaluation.baselines(path, metric, published=True))
    assert words[::2] == ["--scores"] * (len(words) // 2)
    assert "zen=:proxy/cifar10/zen" in words
    assert "skips=:count:skip_connect" in words
    assert not any("cifar100" in word or "proxy/cifar10/params" in word for word in words)


def test_the_papers_own_row_of_table_5() -> None:
    found = {m.quantity: m.reported for m in reported("table-5") if m.setting["scorer"] == "snap"}
    assert found == {"kendall_tau_b": 0.60, "spearman": 0.80}


@pytest.mark.parametrize(
    ("table", "methods"), [("table-3", 8), ("table-4", 16), ("table-5", 9), ("table-7", 10)]
)
def test_the_papers_tables_are_whole(table: str, methods: int) -> None:
    settings = {json.dumps(m.setting) for m in reported(table)}
    assert len(settings) == methods
    assert all(m.value is None and m.reported is not None for m in reported(table))


def test_trials_of_the_ablation_stand_beside_the_papers_figure(tmp_path: Path) -> None:
    path = tmp_path / f"{ablation.name(ablation.CHOSEN)}-2.json"
    path.write_text('{"tau": 0.5, "rho": 0.7}')
    found = list(paper_tables.ablated([path]))
    assert len([m for m in found if m.reported is not None]) == 24
    ours = {m.quantity: (m.seed, m.value) for m in found if m.value is not None}
    assert ours == {"kendall_tau_b": (2, 0.5), "spearman": (2, 0.7)}


def test_shares_of_training_cells_are_in_their_order(tmp_path: Path) -> None:
    for share in (90, 5, 10):
        figures = {"cells": share * 10, "rho": share / 100, "tau": share / 200}
        (tmp_path / f"{share}-0.json").write_text(json.dumps(figures))
    found = list(paper_tables.sized(tmp_path.glob("*.json")))
    shares = [m.setting["share trained on (%)"] for m in found if m.quantity == "spearman"]
    assert shares == [5, 10, 90]


def test_only_finished_predictors_of_the_very_encoder_are_ranked(tmp_path: Path) -> None:
    grid = tmp_path / "grid"
    for name in ("MiniLM-64-0123abcd-short-paper-0", "all-MiniLM-64-0123abcd-short-paper-0"):
        (grid / name).mkdir(parents=True)
        (grid / name / "config.json").touch()
    (grid / "MiniLM-64-0123abcd-short-paper-1").mkdir()
    folders = Folders(tmp_path, tmp_path, tmp_path, tmp_path)
    found = paper_tables.trained(folders, Entry("MiniLM-64", "short"))
    assert [folder.name for folder in found] == ["MiniLM-64-0123abcd-short-paper-0"]


def test_the_page_has_figures_commands_what_was_not_run_and_what_was_measured_before(
    tmp_path: Path,
) -> None:
    rows = [
        Measurement({"layers": 3}, "kendall_tau_b", reported=0.6),
        *(Measurement({"layers": 3}, "kendall_tau_b", seed, 0.5 + seed / 10) for seed in range(3)),
    ]
    title = Title("The ablation (Table 6)", "make ablation", "Some cells")
    save(rows, title, tmp_path / "table-6-ablation.parquet")
    assert read(tmp_path / "table-6-ablation.parquet", "trials").num_rows == 4
    text = page(read_results(tmp_path), ["darts: not run, for want of data"], seeds=5)
    assert "## The ablation (Table 6)\n\nSome cells.\n\n    make ablation\n" in text
    assert "| 3 | 3 | 0.600 ± 0.100 | 0.600 |" in text
    not_run = text.split("## Not run")[1]
    assert "- darts: not run, for want of data" in not_run
    assert "- Table 2: encoders and lengths of descriptions: `uv run" in not_run
    assert "Table 6" not in not_run
    earlier = (
        "Made by `x` at commit 0a1b2c; 5 seeds.\n\n## Encoders (Table 2)\n\nAll cells.\n\n| a |\n"
    )
    for _ in range(2):
        text = page(read_results(tmp_path), [], 5, earlier)
        kept = "## Encoders (Table 2)\n\nMeasured at commit 0a1b2c. All cells.\n\n| a |\n"
        assert text.count(kept) == 1
        assert "Table 2" not in text.split("## Not run")[1]
        earlier = text


@pytest.mark.parametrize(("status", "shown"), [("", "0a1b"), (" M x.py", "0a1b (with changes)")])
def test_the_page_names_the_commit_and_whether_files_differ(
    monkeypatch: pytest.MonkeyPatch, status: str, shown: str
) -> None:
    def git(_folder: Path, command: str, *_words: str) -> str:
        return {"rev-parse": "0a1b", "status": status}[command]

    monkeypatch.setattr("tools.reproduce.page._git", git)
    assert commit() == shown
