from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from snap_catalog import SnapError
from snap_evo import load_scorer, plugins
from snap_evo.combination import RankCombination
from snap_evo.command_scorer import CommandScorer
from snap_evo.scorers import FlopsScorer, ParamsScorer, TableScorer


def only(monkeypatch: pytest.MonkeyPatch, *entries: EntryPoint) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: entries)


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "snap.scorers")


def test_the_packages_own_scorers_are_registered(three_cells_file: Path) -> None:
    assert isinstance(load_scorer("params"), ParamsScorer)
    assert isinstance(load_scorer("flops"), FlopsScorer)
    assert isinstance(load_scorer(f"table:{three_cells_file}:accuracy"), TableScorer)


def test_the_file_of_a_table_may_hold_colons(three_cells_file: Path) -> None:
    odd = three_cells_file.rename(three_cells_file.with_name("a:b.parquet"))
    assert isinstance(load_scorer(f"table:{odd}:accuracy"), TableScorer)


def test_a_scorer_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, entry("mine", "snap_evo.scorers:ParamsScorer"))
    assert isinstance(load_scorer("mine"), ParamsScorer)


def test_an_unknown_scorer_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SnapError, match=r"unknown scorer 'best'; installed are .*flops.*table"):
        load_scorer("best")


def test_a_missing_predictor_is_answered_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    with pytest.raises(SnapError, match="run: pip install snap-gcn"):
        load_scorer("gcn")


@pytest.mark.parametrize("value", ["nowhere_to_be_found:Scorer", "snap_evo.scorers:Absent"])
def test_a_broken_package_is_reported(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    only(monkeypatch, entry("broken", value))
    with pytest.raises(SnapError, match=r"'broken' cannot be loaded .*--force-reinstall"):
        load_scorer("broken")


@pytest.mark.parametrize("spec", ["table", "table:", "table:x.parquet", "table::a", "table:x:"])
def test_a_table_needs_file_and_column(spec: str) -> None:
    with pytest.raises(SnapError, match="write it as table:FILE:COLUMN"):
        load_scorer(spec)


def test_a_scorer_that_takes_no_arguments_gets_none() -> None:
    with pytest.raises(SnapError, match=r"cannot read the scorer 'params:3'; write it as params$"):
        load_scorer("params:3")


@pytest.mark.parametrize(
    ("spec", "options"), [("gcn", {}), ("gcn:my:model", {"model": "my:model"})]
)
def test_the_predictor_takes_a_model_folder_or_none(
    monkeypatch: pytest.MonkeyPatch, spec: str, options: dict[str, str]
) -> None:
    given: list[dict[str, str]] = []

    class Entry:
        name = "gcn"

        def load(self) -> object:
            def factory(model: str = "", device: str = "cpu") -> None:
                given.append({"model": model} if model else {})

            return factory

    monkeypatch.setattr("snap_evo.plugins.entry_points", lambda group: [Entry()])
    load_scorer(spec)
    assert given == [options]


def test_a_combination_weighs_scorers_of_any_kind(three_cells_file: Path) -> None:
    parts = f"params*0.7+table:{three_cells_file}:accuracy*-2+command:a+b*c {{input}} {{output}}*1"
    scorer = load_scorer(parts)
    assert isinstance(scorer, RankCombination)
    kinds = [(type(part.scorer), part.weight) for part in scorer.parts]
    assert kinds == [(ParamsScorer, 0.7), (TableScorer, -2.0), (CommandScorer, 1.0)]
    assert scorer.parts[2].name == "command:a+b*c {input} {output}"


def test_what_ends_in_no_weight_is_one_scorer(three_cells_file: Path) -> None:
    odd = three_cells_file.rename(three_cells_file.with_name("a*0.5+b.parquet"))
    assert isinstance(load_scorer(f"table:{odd}:accuracy"), TableScorer)
    assert isinstance(load_scorer("command:prog --scale 2*3+1 {input} {output}"), CommandScorer)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("params*0.5", "a combination is of two scorers or more"),
        ("params*0.5+", "a combination is of two scorers or more"),
        ("params*0.5+*0.5", "a combination is of two scorers or more"),
        ("params*0.5+flops*0", "a weight is a number other than 0"),
        (f"params*0.5+flops*{'9' * 400}", "a weight is a number other than 0"),
        ("params*0.5+flops", "each scorer of a combination has a weight"),
        ("params+flops", "each scorer of a combination has a weight"),
        ("params*0.5+flops*nan", "each scorer of a combination has a weight"),
        ("params*x+flops*0.5", "a combination is of two scorers or more"),
    ],
)
def test_a_combination_that_is_none_is_refused(spec: str, problem: str) -> None:
    with pytest.raises(SnapError, match=rf"{problem}; write it as gcn\*0\.7\+params\*0\.3$"):
        load_scorer(spec)


def test_an_unknown_scorer_of_a_combination_is_named() -> None:
    with pytest.raises(SnapError, match=r"unknown scorer 'best'; installed are"):
        load_scorer("params*0.5+best*0.5")


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        ("command:p {input} {output}", ("p {input} {output}", 600.0)),
        ("command:2.5s:p a:b {input} {output}", ("p a:b {input} {output}", 2.5)),
    ],
)
def test_a_command_may_have_a_time_limit_before_it(
    monkeypatch: pytest.MonkeyPatch, spec: str, options: tuple[str, float]
) -> None:
    given: list[tuple[str, float]] = []

    def record(self: CommandScorer, command: str, seconds: float = 600.0) -> None:
        given.append((command, seconds))

    monkeypatch.setattr(CommandScorer, "__init__", record)
    load_scorer(spec)
    assert given == [options]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("command", "write it as command:COMMAND"),
        ("command:", "write it as command:COMMAND"),
        ("command:60s:", "its arguments must hold {input} and {output}"),
    ],
)
def test_a_command_needs_a_program(spec: str, problem: str) -> None:
    with pytest.raises(SnapError, match=problem):
        load_scorer(spec)


class Mine:
    """A scorer of another package."""

    def __init__(self, folder: str, scale: str, offset: str = "0", *, quiet: bool = True) -> None:
        self.arguments = (folder, scale, offset, quiet)


class Lenient:
    """A scorer of another package that requires no argument."""

    def __init__(self, folder: str = "here", scale: str = "1") -> None:
        self.arguments = (folder, scale)


@pytest.mark.parametrize(
    ("spec", "arguments"),
    [
        ("mine:a:b/c:2", ("a:b/c", "2", "0", True)),
        ("lenient", ("here", "1")),
        ("lenient:a:b", ("a:b", "1")),
    ],
)
def test_a_scorer_of_another_package_takes_arguments_as_the_built_in_ones_do(
    monkeypatch: pytest.MonkeyPatch, spec: str, arguments: tuple[object, ...]
) -> None:
    monkeypatch.setattr("snap_evo.scorers.Mine", Mine, raising=False)
    monkeypatch.setattr("snap_evo.scorers.Lenient", Lenient, raising=False)
    own = (entry("mine", "snap_evo.scorers:Mine"), entry("lenient", "snap_evo.scorers:Lenient"))
    only(monkeypatch, *own)
    scorer = load_scorer(spec)
    assert isinstance(scorer, Mine | Lenient)
    assert scorer.arguments == arguments


@pytest.mark.parametrize("spec", ["mine", "mine:a", "mine::2", "mine:a:"])
def test_the_arguments_that_a_scorer_of_another_package_requires_are_named(
    monkeypatch: pytest.MonkeyPatch, spec: str
) -> None:
    monkeypatch.setattr("snap_evo.scorers.Mine", Mine, raising=False)
    only(monkeypatch, entry("mine", "snap_evo.scorers:Mine"))
    with pytest.raises(SnapError, match=r"write it as mine:FOLDER:SCALE$"):
        load_scorer(spec)
