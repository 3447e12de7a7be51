"""Scoring networks and architectures by proxies."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from snap_catalog import SnapError
from snap_evo import load_scorer
from snap_evo.cli import main
from snap_evo.combination import Part, RankCombination, Scale
from snap_evo.proxies import (
    NO_SCORE,
    PROXIES,
    ProxyScorer,
    Settings,
    measure_network,
    proxy_names,
    score_network,
)
from snap_evo.proxies.settings import parse_settings
from snap_evo.scorers import score_graphs
from snap_graphs import graph_table, space

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

SMALL = Settings(batch=8, image=8, layers=3, channels=8)
NONE = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
CELLS = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|",
    "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|nor_conv_3x3~0|none~1|avg_pool_3x3~2|",
    NONE,
)


def table(*arch_ids: str, name: str = "nb201") -> pa.Table:
    return graph_table(name, [space(name).parse(arch_id) for arch_id in arch_ids])


def network() -> nn.Module:
    from snap_evo.proxies.scorer import build

    size: dict[str, Any] = {"layers": 3, "channels": 8, "classes": 10, "image": 8}
    return build(space("nb201"), CELLS[0], size, 0)


def test_a_score_does_not_depend_on_what_else_is_asked_for() -> None:
    model = network()
    together = score_network(model, PROXIES, SMALL)
    reverse = score_network(model, list(PROXIES)[::-1], SMALL)
    alone = {name: score_network(model, [name], SMALL)[name] for name in PROXIES}
    assert together == reverse == alone


def test_scoring_leaves_the_network_and_random_numbers_as_they_are() -> None:
    model = network().eval()
    model[0].weight.requires_grad_(False)  # type: ignore[index]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    score_network(model, PROXIES, SMALL)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model.training
    assert not model[0].weight.requires_grad  # type: ignore[index]
    assert all(not m._forward_hooks for m in model.modules())


def test_a_pass_runs_once_for_all_proxies_that_need_it() -> None:
    found = measure_network(network(), ["snip", "fisher", "plain", "nwot", "swap"], SMALL)
    assert list(found.seconds) == ["gradients", "activations"]
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert found.images == "Gaussian noise with random labels"


def test_scores_are_the_same_again_in_any_order_of_rows() -> None:
    names = list(PROXIES)
    first = ProxyScorer(names, SMALL).columns(table(*CELLS))
    again = ProxyScorer(names, SMALL).columns(table(*CELLS[::-1]))
    assert list(first) == names
    for name, column in first.items():
        assert column.dtype == np.float64
        assert column.tolist() == again[name][::-1].tolist()


def test_another_seed_gives_other_scores_and_repeats_their_mean() -> None:
    def scores(**changes: int) -> float:
        settings = Settings(**{**vars(SMALL), **changes})
        return float(ProxyScorer("snip", settings).score(table(CELLS[0]))[0])

    first, second = scores(seed=0), scores(seed=1)
    assert first != second
    assert scores(repeats=2) == pytest.approx((first + second) / 2)


def test_a_network_whose_output_is_constant_has_the_worst_score() -> None:
    columns = ProxyScorer(proxy_names(), SMALL).columns(table(*CELLS))
    for name in ("synflow", "jacov", "epe_nas", "nwot", "zen", "zico"):
        assert columns[name][2] == NO_SCORE < columns[name][:2].min(), name
    assert all(np.isfinite(column).all() for column in columns.values())
    assert columns["az_nas"].argmin() == 2


def test_a_network_dead_for_one_seed_stays_the_worst() -> None:
    found = score_network(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), ["nwot"], SMALL)
    assert found == {"nwot": NO_SCORE}


def test_counts_are_those_of_the_graphs() -> None:
    cells = table(*CELLS[:2])
    columns = ProxyScorer("params+flops", Settings(batch=2)).columns(cells)
    assert columns["params"].tolist() == cells["params"].to_pylist()
    assert columns["flops"].tolist() == cells["flops"].to_pylist()


@pytest.mark.parametrize(
    ("name", "arch_id", "settings"),
    [
        ("nb101", "4:110011:3m", Settings(5, image=16, layers=3, channels=16, classes=2)),
        (
            "transnas-micro",
            "64-41414-1_02_333",
            Settings(5, image=32, layers=5, channels=8, classes=2),
        ),
        ("transnas-macro", "64-1234-basic", Settings(5, image=32, layers=1, channels=8, classes=2)),
    ],
)
def test_networks_of_other_spaces_are_scored(name: str, arch_id: str, settings: Settings) -> None:
    columns = ProxyScorer(list(PROXIES), settings).columns(table(arch_id, name=name))
    assert all(column[0] > NO_SCORE for column in columns.values())


def test_genotypes_are_scored() -> None:
    cell = space("darts").sample(1, 0)[0]
    graphs = graph_table("darts", [cell])
    settings = Settings(batch=4, image=16, layers=3, channels=8)
    columns = ProxyScorer(list(PROXIES), settings).columns(graphs)
    assert all(np.isfinite(column).all() for column in columns.values())


OWN = """
import torch
from torch import nn

class Mix(nn.Module):
    def __init__(self, entering, channels, stride):
        super().__init__()
        self.conv = nn.Conv2d(entering, channels, 3, stride, 1)

    def forward(self, x):
        return torch.nn.functional.gelu(self.conv(x), approximate="tanh")
"""


def test_a_space_of_ones_own_is_scored_if_its_code_may_be_imported(tmp_path: Path) -> None:
    (tmp_path / "mix.py").write_text(OWN)
    definition = tmp_path / "mine.toml"
    definition.write_text(
        'name = "mine"\nnodes = 3\nedges = "all"\n[operators]\nnone = "None"\n'
        'mix = { description = "A convolution and GELU", module = "mix.py:Mix" }\n'
        "[skeleton]\nimage = 8\nclasses = 3\nstem = 8\n"
        "[[skeleton.stages]]\nrepeats = 2\nwidth = 8\n"
    )
    search_space = space(str(definition), allow_code=True)
    graphs = graph_table(search_space, search_space.sample(2, 0))
    settings = Settings(batch=8)
    columns = ProxyScorer(list(PROXIES), settings, space=search_space).columns(graphs)
    assert all(np.isfinite(column).all() for column in columns.values())
    with pytest.raises(SnapError, match=r"cannot score .* names code .*, which is not imported"):
        ProxyScorer("params", settings).columns(graphs)


def test_known_scores_cost_nothing() -> None:
    scorer = ProxyScorer("params", SMALL)
    search_space = space("nb201")
    assert scorer.measure(search_space, NONE) is scorer.measure(search_space, NONE)


def test_a_spec_names_proxies_and_settings() -> None:
    scorer = load_scorer("proxy:synflow+nwot,batch=8,input=8,layers=3,channels=8,seed=4")
    assert isinstance(scorer, ProxyScorer)
    assert scorer.names == ("synflow", "nwot")
    assert scorer.settings == Settings(batch=8, image=8, layers=3, channels=8, seed=4)
    assert isinstance(load_scorer("proxy:synflow*0.5+proxy:nwot*0.5"), RankCombination)


def test_one_proxy_is_a_scorer() -> None:
    scorer = load_scorer("proxy:synflow,batch=8,input=8,layers=3,channels=8")
    scores = score_graphs(scorer, table(*CELLS))
    assert scores.shape == (3,)
    assert scores.argmin() == 2


def test_a_search_is_not_given_ranks_within_its_generations() -> None:
    with pytest.raises(SnapError, match=r"use snap-evo score, or .* as proxy:az_expressivity\*1\+"):
        load_scorer("proxy:az_nas,batch=4").score(table(*CELLS))


def test_az_nas_ranks_within_the_table() -> None:
    scorer = ProxyScorer("az_nas", SMALL)
    both, alone = (scorer.columns(table(*cells))["az_nas"] for cells in (CELLS[:2], CELLS[:1]))
    assert alone.tolist() == [0]
    assert (both <= 0).all()
    with pytest.raises(SnapError, match="ranks the networks of a table"):
        score_network(network(), ["az_nas"], SMALL)


def test_several_proxies_are_not_one_score() -> None:
    expected = r"combine them as proxy:synflow\*0.5\+proxy:nwot\*0.5$"
    with pytest.raises(SnapError, match=expected):
        ProxyScorer("synflow+nwot", SMALL).score(table(CELLS[0]))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("proxy", "write it as proxy:NAMES"),
        ("proxy:", "write it as proxy:NAMES"),
        ("proxy:sinflow", "unknown proxy 'sinflow'; there are params, .*az_nas"),
        ("proxy:synflow+", "unknown proxy ''; there are"),
        ("proxy:synflow,size=3", "cannot read the setting 'size=3'.*batch.*images"),
        ("proxy:synflow,batch=many", "batch=many: give a whole number"),
        ("proxy:synflow,batch=1", "batch is 1 and must be at least 2"),
        ("proxy:synflow,seed=-1", "seed=-1: give a whole number of at least 0"),
        ("proxy:synflow,batch=4,batch=8", "the setting batch is given twice"),
        ("proxy:synflow,images=none.npz", "none.npz: no such file or folder"),
    ],
)
def test_a_wrong_spec_is_reported_in_one_line(spec: str, expected: str) -> None:
    with pytest.raises(SnapError, match=expected) as caught:
        load_scorer(spec)
    assert "\n" not in str(caught.value)


def test_no_proxy_is_refused() -> None:
    with pytest.raises(SnapError, match="no proxy is given; there are"):
        score_network(nn.Flatten(), [])


def test_what_cannot_be_built_is_named() -> None:
    settings = Settings(layers=4)
    expected = r"cannot score \|none.* of nb201: 4 layers do not make the 3 equal stages"
    with pytest.raises(SnapError, match=expected):
        ProxyScorer("params", settings).score(table(NONE))


class _Broken(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        raise ValueError("not\nimplemented")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (_Broken(), r"the network fails in inference \(ValueError: not implemented\)"),
        (nn.Conv2d(3, 4, 1), r"returns \(1, 4, 8, 8\), not \(b, classes\) logits"),
    ],
)
def test_a_network_that_fails_is_reported_in_one_line(model: nn.Module, expected: str) -> None:
    with pytest.raises(SnapError, match=expected):
        score_network(model, ["snip"], SMALL)


def save(folder: Path, images: int, classes: int = 2) -> str:
    random, path = np.random.default_rng(0), folder / "data.npz"
    pixels = random.integers(0, 256, (images, 8, 8), dtype=np.uint8)
    np.savez(path, images=pixels, labels=np.arange(images) % classes)
    return str(path)


def test_images_of_ones_own_are_used_and_named(tmp_path: Path) -> None:
    pytest.importorskip("PIL.Image")
    path = save(tmp_path, 20)
    scorer = ProxyScorer(f"snip+params,images={path},batch=8,layers=3,channels=8")
    found = scorer.measure(space("nb201"), CELLS[0])
    noise = ProxyScorer("snip", SMALL).measure(space("nb201"), CELLS[0])
    assert scorer.images.startswith("data.npz (SHA-256 ")
    assert found.images == scorer.images
    assert found.values["snip"] != noise.values["snip"]
    assert found.values == scorer.measure(space("nb201"), CELLS[0]).values


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("batch=17", "has 16 images to draw from, fewer than a batch of 17"),
        ("batch=8,classes=2", "has 4 classes, more than the 2 given"),
    ],
)
def test_images_that_do_not_fit_are_refused(tmp_path: Path, settings: str, expected: str) -> None:
    pytest.importorskip("PIL.Image")
    path = save(tmp_path, 20, classes=4)
    with pytest.raises(SnapError, match=expected):
        ProxyScorer(f"snip,images={path},{settings}")


def test_a_network_of_fewer_classes_than_the_images_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("PIL.Image")
    settings = Settings(images=save(tmp_path, 20, classes=4), batch=8)
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    with pytest.raises(SnapError, match="3 outputs for the 4 classes of data"):
        score_network(model, ["snip"], settings)


def test_images_of_another_side_than_the_network_takes_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("PIL.Image")
    scorer = ProxyScorer("snip", Settings(images=save(tmp_path, 20), batch=8))
    assert scorer.measure_network(network(), 8).values == scorer.measure_network(network(), None)[0]
    with pytest.raises(
        SnapError, match=r"takes images of 16 pixels per side, and those of data\.npz"
    ):
        scorer.measure_network(network(), 16)


def test_memory_that_does_not_suffice_is_not_blamed_on_the_network() -> None:
    class Greedy(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            if self.training:
                torch.empty(2**60)
            return images.flatten(1)

    with pytest.raises(SnapError, match=r"memory is too short.*use a smaller batch"):
        score_network(Greedy(), ["nwot"], SMALL)


def test_settings_are_checked() -> None:
    assert parse_settings([]) == Settings()
    with pytest.raises(SnapError, match="repeats is 0 and must be at least 1"):
        Settings(repeats=0)


def imported(modules: Sequence[str], code: str) -> list[str]:
    check = f"import sys\n{code}\nprint(*[m for m in {list(modules)} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_the_list_of_proxies_needs_no_torch() -> None:
    code = "from snap_evo.proxies import PROXIES, ProxyScorer, Settings"
    assert imported(["torch", "PIL"], code) == []


@pytest.mark.parametrize("name", ["nwot", "params", "az_trainability"])
def test_no_network_is_charged_for_what_torch_imports_once(name: str) -> None:
    code = f"""
from snap_evo.proxies import Settings, measure
from torch import nn
clock, seen = measure.time.perf_counter, []
def look():
    seen.append("torch._dynamo" in sys.modules)
    return clock()
measure.time = type("Time", (), {{"perf_counter": staticmethod(look)}})
net = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.ReLU(), nn.Linear(4, 2))
measure.score_network(net, [{name!r}], Settings(batch=4, image=8))
print(*("torch" for began, ended in zip(seen[::2], seen[1::2]) if began != ended))
"""
    assert imported([], code) == []


def test_a_search_by_a_proxy_ends_without_running_the_whole_space(tmp_path: Path) -> None:
    spec = "proxy:synflow,batch=4,layers=3,channels=8,input=8"
    arguments = ["--space", "nb201", "--scorer", spec, "--budget", "6", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, ["run", *arguments, "--quiet"])
    assert result.exit_code == 0, result.output
    assert "rank 1 of the" in result.stdout
    assert "not ranked as a whole" in result.stdout


def test_a_search_may_run_the_code_of_an_own_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = Path(__file__).parents[3] / "docs" / "examples"
    if not (examples / "blocks.toml").exists():
        pytest.skip("needs the repository")
    monkeypatch.chdir(examples)
    arguments = ["--space", "blocks.toml", "--scorer", "proxy:synflow,batch=4", "--budget", "2"]
    result = CliRunner().invoke(
        main, ["run", *arguments, "--allow-code", "--out", str(tmp_path), "--quiet"]
    )
    assert result.exit_code == 0, result.output


def test_a_network_without_a_score_is_the_worst_of_a_combination() -> None:
    spec = "proxy:synflow,batch=4,layers=3,channels=8,input=8"
    scale = Scale.among(np.array([10.0, 20.0, 30.0]))
    both = RankCombination([Part(spec, load_scorer(spec), -1.0)])
    both._space, both._scales = "nb201", (scale,)
    scores = both.score(table(*CELLS))
    assert scores[2] == NO_SCORE
    assert (scores[:2] > NO_SCORE).all()
