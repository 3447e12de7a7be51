"""What the conformance suite is run over: files named on the command line, or our own tools'."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast, get_args

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from snap_catalog.parquet import decode_metadata
from snap_catalog.rules import RULES
from snap_catalog.schemas import Contract, Name, contract
from snap_catalog.versions import upgraded


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for the files that our own tools make."""
    return tmp_path_factory.mktemp("made")


def _run(command: click.Command, *arguments: object) -> None:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr


@pytest.fixture(scope="session")
def graphs(made: Path) -> Path:
    from snap_graphs.cli import main

    _run(main, "convert", "nb201", made / "graphs.parquet")
    return made / "graphs.parquet"


@pytest.fixture(scope="session")
def graphs_of_a_table(made: Path) -> Path:
    from snap_graphs.cli import main

    source = made / "cells.csv"
    source.write_text(
        "n_vertices,adj_upper,ops,cifar10/test/accuracy@108\n2,1,,70.5\n3,111,3,93.25\n3,101,m,\n"
    )
    _run(main, "convert", "nb101", made / "cells.parquet", "--source", source)
    return made / "cells.parquet"


@pytest.fixture(scope="session")
def operators_of_a_list(made: Path) -> Path:
    from snap_encode.cli import main

    (made / "ops.txt").write_text("conv7x7\tConvolution 7x7\nGated linear unit\n")
    _run(main, made / "ops.txt", "-o", made / "ops.parquet")
    return made / "ops.parquet"


@pytest.fixture(scope="session")
def operators_of_the_catalog(made: Path) -> Path:
    from snap_encode.cli import main

    _run(main, "--space", "nb201", "--space", "darts", "-o", made / "operators.parquet")
    return made / "operators.parquet"


@pytest.fixture(scope="session")
def operators_of_the_bundled_predictor() -> Path:
    import snap_gcn

    return Path(snap_gcn.__file__).parent / "bundle" / "paper" / "operators.parquet"


@pytest.fixture(scope="session")
def scores(made: Path, graphs: Path) -> Path:
    from snap_gcn.cli import main

    _run(main, "predict", graphs, "-o", made / "scores.parquet")
    return made / "scores.parquet"


@pytest.fixture(scope="session")
def search(made: Path) -> Path:
    from snap_evo.cli import main

    _run(main, "run", "--space", "nb201", "--scorer", "params", "--budget", 60, "--out", made)
    return made / "search.parquet"


@pytest.fixture(scope="session")
def correlations(made: Path, scores: Path, graphs: Path) -> Path:
    from snap_eval.cli import main

    target = made / "correlations.parquet"
    metric = pq.read_schema(graphs).names[-1]
    files = ("--scores", scores, "--graphs", graphs, "--metric", metric)
    _run(main, "correlate", *files, "--bootstrap", 5, "-o", target)
    return target


@pytest.fixture(scope="session")
def independence(made: Path, scores: Path, graphs: Path) -> Path:
    from snap_eval.cli import main

    target = made / "independence.parquet"
    scorers = ("--scores", scores, "--scores", ":params")
    _run(main, "independence", *scorers, "--graphs", graphs, "-o", target)
    return target


@pytest.fixture(scope="session")
def combined_scores(made: Path, scores: Path, graphs: Path) -> Path:
    from snap_eval.cli import main

    target = made / "combined.parquet"
    scorers = ("--scores", scores, "--scores", ":params")
    _run(main, "combine", *scorers, "--graphs", graphs, "-o", target)
    return target


@pytest.fixture(scope="session")
def measurements(made: Path) -> Path:
    from snap_evo import Session, Setup

    setup = Setup(space="nb201", metric="accuracy", direction="max")
    session = Session.start(made / "session", setup)
    cell = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    session.tell(cell, None, note="diverged")
    session.tell(cell, 0.5, costs={"latency_ms": 3.0}, seconds=60.0)
    return session.write_table()


@pytest.fixture(scope="session")
def trials(made: Path) -> Path:
    from tools.reproduce.trials_file import Measurement, Title, save

    target = made / "trials.parquet"
    rows = [Measurement({"layers": 3}, "spearman", 0, 0.7, 0.8)]
    save(rows, Title("Layers", "tools/measure/ablation.py", "all cells"), target)
    return target


@pytest.fixture(scope="session")
def trials_of_a_comparison(made: Path, graphs: Path) -> Path:
    from snap_evo.cli import main

    out, measure = made / "compared", f"table:{graphs}:baseline_accuracy"
    how = ("--scorer", "params", "--algorithms", "random", "--seeds", 2, "--measurements", 5)
    _run(main, "compare", "--measure", measure, *how, "--jobs", 1, "--out", out)
    return out / "trials.parquet"


_MADE: dict[str, tuple[str, Name]] = {
    "graphs": ("snap-graphs convert nb201", "graphs"),
    "graphs_of_a_table": ("snap-graphs convert nb101 --source", "graphs"),
    "operators_of_a_list": ("snap-encode ops.txt", "operators"),
    "operators_of_the_catalog": ("snap-encode --space", "operators"),
    "operators_of_the_bundled_predictor": ("bundled operators.parquet", "operators"),
    "scores": ("snap-gcn predict", "scores"),
    "search": ("snap-evo run", "search"),
    "correlations": ("snap-eval correlate", "correlations"),
    "measurements": ("snap_evo.Session", "measurements"),
    "trials": ("tools/reproduce", "trials"),
    "trials_of_a_comparison": ("snap-evo compare --measure", "trials"),
    "independence": ("snap-eval independence", "independence"),
    "combined_scores": ("snap-eval combine", "scores"),
}
"""The fixtures of our own files, what makes each, and the contract it must keep."""

_PARTS: dict[str, Callable[[Contract], Sequence[object]]] = {
    "column": lambda rules: [column.name for column in rules.columns if not column.optional],
    "rule": lambda rules: RULES.get(rules.name, ()),
    "entry": lambda rules: ["snap.producer", *rules.metadata, *rules.provenance],
}
"""By the argument that receives it: the parts of a contract that tests are made of one by one."""


def _claim(path: Path) -> Name | None:
    try:
        claim = decode_metadata(pq.read_schema(path)).get("snap.schema")
    except (OSError, pa.ArrowException):
        return None
    return cast(Name, claim) if claim in get_args(Name) else None


def _cases(
    source: str | Path, label: str, claim: Name | None, arguments: Sequence[str]
) -> Iterator[Any]:
    if "rules" not in arguments:
        yield pytest.param(source, id=label)
    elif claim is not None:
        rules = contract(claim)
        parts = [part(rules) for name, part in _PARTS.items() if name in arguments]
        for values in itertools.product(*parts):
            about = [getattr(value, "about", str(value)) for value in values]
            yield pytest.param(source, rules, *values, id=": ".join([label, *about]))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every test a file, the contract it claims, and the part of it that the test is about."""
    arguments = [a for a in ("file", "rules", *_PARTS) if a in metafunc.fixturenames]
    named: list[Path] = metafunc.config.getoption("file")
    files: list[tuple[str | Path, str, Name | None]] = [(p, p.name, _claim(p)) for p in named]
    files = files or [(fixture, label, name) for fixture, (label, name) in _MADE.items()]
    cases = [case for file in files for case in _cases(*file, arguments)]
    if "file" in arguments:
        metafunc.parametrize(arguments, cases, indirect=["file"], scope="session")


@pytest.fixture(scope="session")
def file(request: pytest.FixtureRequest) -> Path:
    """The file a test is about: named on the command line, or made by one of our tools."""
    source: str | Path = request.param
    return source if isinstance(source, Path) else request.getfixturevalue(source)


@pytest.fixture(scope="session")
def table(file: Path, rules: Contract) -> pa.Table:
    """The file's rows as the present version of its contract has them, read without any check."""
    return upgraded(pq.ParquetFile(file).read(), rules)
