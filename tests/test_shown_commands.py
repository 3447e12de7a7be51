"""Every command and Python example that a page shows is run, in order, on the files it names."""

import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "data-catalog/*.md", "packages/*/*.md", "docs/**/*.md")
    for path in ROOT.glob(pattern)
)
TOOLS = {e.name: e for e in entry_points(group="console_scripts") if e.value.startswith("snap_")}
PROGRAMS = [*TOOLS, "git", "mkdocs", "pip", "printf", "python", "torchrun", "uv"]
CLONE = [path.name for path in ROOT.iterdir() if path.name not in ("build", ".venv", ".git")]
"""What a reader who works in a clone finds there."""


class Example(NamedTuple):
    """A command, or a Python example."""

    language: str
    code: str


TFRECORD = "packages/snap-graphs/tests/fixtures/nb101_tfrecord.py"
NB101 = "zcat $DATA/nb101.csv.gz | sed -n 1,301p | gzip > nb101.csv.gz"
NB201 = "snap-graphs convert nb201 nb201.parquet"
NB201_MEASURED = "snap-graphs convert nb201 nb201.parquet --source $DATA/nb201_cifar10.csv.gz"
MINE = "snap-graphs convert nb201 my.parquet"
BLOCK = "sed -n '/^```{0}/,/^```/{{//!p}}' packages/snap-graphs/README.md > {1}"
NETS = "sed -n '/^```python/,/^```/{//!p}' docs/networks.md > nets.py"
MEASURE = Example(
    "sh",
    "printf 'import json, sys\narch, output = sys.argv[1:]\n"
    'answer = {"value": arch.count("3x3"), "latency_ms": len(arch) / 30}\n'
    'json.dump(answer, open(output, "w"))\n\' > measure.py',
)
RESULTS = Example(
    "sh",
    "printf 'arch_id,accuracy\n"
    "|skip_connect~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|none~2|,91.5\n' > results.csv",
)
BEFORE = {
    "docs/contracts.md": [Example("sh", MINE)],
    "docs/measuring.md": [MEASURE, RESULTS],
    "CONTRIBUTING.md": [Example("sh", MINE)],
    "README.md": [Example("sh", NB101), Example("sh", NETS)],
    "data-catalog/README.md": [Example("sh", MINE)],
    "docs/networks.md": [Example("sh", NETS)],
    "docs/performance.md": [
        Example("sh", NB101),
        Example("sh", f"python {TFRECORD} nb101.csv.gz nasbench_only108.tfrecord"),
    ],
    "docs/results.md": [
        Example("sh", f"{NB201_MEASURED} && mv nb201.parquet GRAPHS.parquet"),
        Example("sh", "snap-gcn predict GRAPHS.parquet --model paper -o SCORES.parquet"),
    ],
    "docs/training.md": [
        Example(
            "python",
            """
import numpy as np
import torch
from snap_graphs import space

(cell,) = space("darts").sample(1, seed=0)
genotype = space("darts").format(cell)
epochs, batches = 1, [(torch.randn(2, 3, 32, 32), torch.tensor([0, 1]))]
""",
        )
    ],
    "packages/snap-eval/README.md": [
        Example("sh", NB201_MEASURED.replace("nb201.parquet", "cells.parquet")),
        Example(
            "sh",
            "snap-graphs join cells.parquet $DATA/nb201_proxies_cifar10.csv.gz -o nb201.parquet",
        ),
        Example("sh", "snap-gcn predict nb201.parquet --model paper -o paper-0.parquet"),
    ],
    "packages/snap-evo/README.md": [
        Example("sh", "cp $DATA/nb101.csv.gz ."),
        Example(
            "sh",
            "printf 'import sys\nfrom pyarrow import parquet\n"
            "graphs = parquet.read_table(sys.argv[1])\n"
            'scores = graphs.select(["arch_id"]).append_column("score", graphs["depth"])\n'
            "parquet.write_table(scores, sys.argv[2])\n' > score.py",
        ),
        MEASURE,
        RESULTS,
    ],
    "packages/snap-gcn/README.md": [
        Example("sh", NB101),
        Example("sh", f"{NB201} && snap-graphs convert nb101 nb101.parquet --source nb101.csv.gz"),
        Example("sh", "snap-encode --space nb101 --space nb201 -o operators.parquet"),
        Example("sh", BLOCK.format("yaml", "cells.yaml")),
        Example("sh", "snap-graphs convert custom mine.parquet --source cells.yaml"),
        Example("sh", "printf 'conv\tConvolution 3x3\npool\tMax pooling 3x3\n' > my-operators.txt"),
        Example("sh", "snap-encode my-operators.txt"),
        Example(
            "python",
            """
from pathlib import Path

from snap_catalog.parquet import read

graphs = read("nb201.parquet", "graphs").slice(0, 1000).to_pylist()
lines = [f"{row['arch_id']},{row['cifar10/test/baseline_accuracy']}" for row in graphs[::10]]
Path("trained.csv").write_text("\\n".join(["arch_id,cifar10/test/accuracy", *lines]))
""",
        ),
    ],
    "packages/snap-graphs/README.md": [
        Example("sh", NB101.replace("> nb101", "> table")),
        Example("sh", BLOCK.format("yaml", "cells.yaml")),
        Example("sh", BLOCK.format("toml", "mine.toml")),
        Example("sh", "zcat $DATA/nb201_hardware_cifar10.csv.gz | cut -d, -f1,2 > latencies.csv"),
        Example("sh", "sed -i '1s/.*/arch,ms/' latencies.csv"),
        Example(
            "python",
            """
from pathlib import Path

from onnx import TensorProto, helper

value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 8, 8])
result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
relu = helper.make_node("Relu", ["x"], ["y"])
Path("nets").mkdir()
model = helper.make_model(helper.make_graph([relu], "net", [value], [result]))
Path("nets/relu.onnx").write_bytes(model.SerializeToString())
""",
        ),
    ],
}
"""By page, what makes the files that its reader brings; `$DATA` is the folder of real tables."""

NOT_RUN = {
    r"(uv )?pip install .*|uv sync .*": "changes an environment; test_installs.py has its own",
    r"uv run --all-groups pytest( -[mn] .*| packages/snap-graphs)?": "is this suite",
    r"uv run --all-groups pytest benchmarks( .*|/test_eval.py)?": "takes minutes",
    r"uv run --group docs mkdocs build --strict": "test_site.py does it",
    r"uv run --group docs mkdocs serve": "serves until it is stopped",
    r"uv export .*": "resolves all dependencies; .ci/run does it",
    r"snap-graphs fetch nb101": "downloads 0.5 GB",
    r"uv run snap-graphs enumerate nb101 nb101.parquet": "runs on the page of snap-graphs",
    r"snap-evo compare --space nb201 --measure .* --measurements 60 .*": "takes minutes",
    r"uv run snap-evo compare --space (nb(101|201) --budget|darts --measurements) .*": (
        "takes minutes: 80 searches"
    ),
    r"snap-evo run --space SPACE .*": "stands for many runs",
    r"snap-eval independence --graphs GRAPHS.parquet .*": "stands for several --scores",
    r"snap-evo run .* --measure train:digits.npz,augment=crop .*": "takes minutes: 24 trainings",
    r"snap-evo train digits/best.json .*": "needs what the search above it finds",
    r"uv run --all-groups python -m tools.measure.digits .*": "takes a quarter of an hour",
    r"snap-evo train small/best.json --data photos .*": "needs photographs and a graphics card",
    r"snap-gcn convert OLD NEW": "needs a model of the first format; test_conversion.py has one",
    r"snap-graphs convert BENCHMARK .*": "stands for many runs",
    r"uv run --all-groups python -m tools.measure.tracing .*": "takes minutes",
    r"torchrun --nproc-per-node 2 .*": "as many processes as cores; test_fit_command.py runs it",
    r"uv run --all-groups python -m tools.measure.ablation( --mpnet FOLDER --seeds 2)?": (
        "takes an hour"
    ),
    r"uv run --all-groups python -m tools.reproduce(.renew| --all)?": "takes hours",
    r"uv run --all-groups python -m tools.train.(bundled|calibrate|reader)": "takes minutes",
    r"uv run --all-groups python -m tools.measure.(found|training_size|unseen_operators)": (
        "takes hours"
    ),
    r"uv run --all-groups python -m tools.measure.(adapted_intervals|scaling|whole_networks)": (
        "takes minutes"
    ),
    r"uv run --all-groups python -m tools.measure.many_cells": "takes minutes and 4 GB of disk",
    r"uv run --all-groups python -m tools.measure.few_labels( --way .*)?": "takes minutes",
    r"uv run --all-groups python -m tools.measure.encoder [a-z]+": "takes minutes",
    r"uv run --all-groups python -m tools.measure.proxies [a-z]+": "takes minutes and scores",
    r"uv run --all-groups python -m tools.measure.search [a-z0-9]+": "takes minutes",
}
"""The commands that no page's test runs, as patterns, and why."""

_UV_RUN = r"^uv run (--all-groups |--group \S+ )*"
_BLOCK = re.compile(
    r"^```(?P<language>\w*)\n(?P<fenced>.*?)^```$"
    r"|^    (?P<indented>\S[^\n]*)$"
    r"|`(?P<inline>(?:uv\s+run|pip\s+install)\s[^`]+)`",
    re.MULTILINE | re.DOTALL,
)


def _examples(page: str) -> Iterator[Example]:
    """All that a page shows to be run, in its order.

    Commands are the lines of code blocks, fenced or indented, that begin with one of `PROGRAMS`;
    other lines are output. In running text, only what begins with `uv run` or `pip install` is a
    whole command; the rest is mentioned.
    """
    text = re.sub(r"\\\n\s*", "", (ROOT / page).read_text("utf-8"))
    for block in _BLOCK.finditer(text):
        if block["language"] == "python":
            yield Example("python", block["fenced"])
        elif block["language"] in (None, "", "sh"):
            inline = " ".join((block["inline"] or "").split())
            yield from _commands(block["fenced"] or block["indented"] or inline)


def _commands(block: str) -> Iterator[Example]:
    lines = re.findall(rf"^(?:{'|'.join(PROGRAMS)}) .*$", block, re.MULTILINE)
    for line in lines:
        yield from (_without_comment(part) for part in line.split(" && "))


def _without_comment(command: str) -> Example:
    return Example("sh", re.sub(r"\s+# .*$", "", command).strip())


SHOWN = {page: list(_examples(page)) for page in PAGES}


def _is_run(example: Example) -> bool:
    return example.language == "python" or not any(
        re.fullmatch(pattern, example.code) for pattern in NOT_RUN
    )


COMMANDS = sorted({e.code for shown in SHOWN.values() for e in shown if e.language == "sh"})


def _shell(code: str, folder: Path, data: Path | None) -> None:
    """Run a command unchanged, as in an activated environment; `uv run` finds the same one."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "UV_PROJECT": str(ROOT),
        "UV_PROJECT_ENVIRONMENT": sys.prefix,
        "UV_NO_SYNC": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "DATA": str(data),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(map(_is_run, SHOWN[page]))])
def test_what_a_page_shows_runs_from_top_to_bottom(
    page: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = BEFORE.get(page, [])
    needs_data = any("$DATA" in example.code for example in before)
    data = request.getfixturevalue("shared_data").resolve() if needs_data else None
    for name in CLONE:
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [example for example in SHOWN[page] if _is_run(example)]
    for example in dict.fromkeys([*before, *shown]):
        if example.language == "python":
            exec(compile(example.code, page, "exec"), names)
        else:
            _shell(example.code, tmp_path, data)


@pytest.mark.parametrize("shown", COMMANDS)
def test_a_command_that_is_shown_would_be_accepted(shown: str) -> None:
    words = shlex.split(re.sub(_UV_RUN, "", shown).replace("SEED", "0"))
    folders = [word.split("[")[0] for word in words if word.startswith("./")]
    assert [folder for folder in folders if not (ROOT / folder).exists()] == []
    program, *arguments = words
    if program in TOOLS:
        _accept(TOOLS[program].load(), arguments)
    elif program == "python" and arguments[0] == "-m":
        _accept(_main(arguments[1]), arguments[2:])
    elif program == "pytest":
        paths = [word for word in arguments if re.match("packages|tests|benchmarks", word)]
        assert all((ROOT / path).exists() for path in paths)
    else:
        assert program in PROGRAMS


def _main(module: str) -> click.Command:
    """Return what `python -m` runs."""
    is_package = (ROOT / module.replace(".", "/")).is_dir()
    command: click.Command = importlib.import_module(f"{module}{'.__main__' * is_package}").main
    return command


def _accept(command: click.Command, arguments: list[str]) -> None:
    """Parse arguments as the command line does, without running anything."""
    if not isinstance(command, click.Group):
        command.make_context(command.name, arguments)
        return
    with click.Context(command) as context:
        name, chosen, rest = command.resolve_command(context, arguments)
        assert chosen is not None
        chosen.make_context(name, rest, parent=context)


@pytest.mark.parametrize("pattern", NOT_RUN)
def test_a_reason_not_to_run_a_command_is_still_needed(pattern: str) -> None:
    assert any(re.fullmatch(pattern, shown) for shown in COMMANDS)


def test_only_pages_that_show_something_are_prepared() -> None:
    assert [page for page in BEFORE if not any(map(_is_run, SHOWN[page]))] == []
