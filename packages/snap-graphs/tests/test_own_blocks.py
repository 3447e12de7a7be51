"""Blocks with code in a user's own space: what is imported, built, counted and refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import read, write
from snap_graphs import graph_table, space
from snap_graphs.cli import main
from snap_graphs.spaces import ProductSpace
from snap_graphs.table import check_architectures, table_space
from snap_graphs.torch.build import architecture_size, build_network, count_costs, try_training
from torch import nn

BLOCKS = """
from pathlib import Path
from torch import nn, zeros

Path(__file__).with_suffix(".ran").touch()

class Conv(nn.Sequential):
    def __init__(self, in_channels, out_channels, stride):
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

class Depthwise(nn.Sequential):
    def __init__(self, in_channels, out_channels, stride):
        super().__init__(
            nn.Conv2d(in_channels, in_channels, 5, stride, 2, groups=in_channels),
            nn.Conv2d(in_channels, out_channels, 1),
        )

class Raises(nn.Module):
    def __init__(self, in_channels, out_channels, stride):
        raise ValueError("no\\nsuch block")

class Keeps(nn.Module):
    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
    def forward(self, x):
        return x

class Pair(Keeps):
    def forward(self, x):
        return x, x

class Stumbles(Keeps):
    def forward(self, x):
        raise RuntimeError("not today")

class Plain:
    def __init__(self, in_channels, out_channels, stride):
        pass

class Fickle(Conv):
    def forward(self, x):
        if self.training:
            raise RuntimeError("only in training")
        return super().forward(x)

answer = 42
"""
SKELETON = """
[skeleton]
image = 16
classes = 4
stem = 8
[[skeleton.stages]]
repeats = [1, 2]
width = 8
[[skeleton.stages]]
repeats = 2
width = [8, 12]
stride = [1, 2]
"""


GOOD = ("conv", "depthwise")


def definition(wiring: str, skeleton: str = "", **classes: str) -> str:
    blocks = "\n".join(
        f'{name} = {{ description = "Block", module = "{module}" }}'
        for name, module in classes.items()
    )
    return f'name = "mine"\n{wiring}\n[operators]\nnone = "None"\n{blocks}\n{skeleton}'


CHAIN = 'nodes = 3\nedges = "all"'
TWO_INPUTS = "nodes = 5\ninputs = 2\nin_degree = 2\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "blocks.py").write_text(BLOCKS)
    (folder / "broken.py").write_text("import snap_no_such_package")
    return folder


def own(folder: Path, text: str, *, allow_code: bool = True) -> ProductSpace:
    (folder / "mine.toml").write_text(text)
    home = space(str(folder / "mine.toml"), allow_code=allow_code)
    assert isinstance(home, ProductSpace)
    return home


def good(wiring: str, skeleton: str = SKELETON) -> str:
    """A definition whose skip is built in."""
    text = definition(wiring, conv="blocks.py:Conv", depthwise="blocks.py:Depthwise")
    return text.replace("[operators]", '[operators]\nskip_connect = "Residual"') + skeleton


@pytest.mark.parametrize("wiring", [CHAIN, TWO_INPUTS])
@pytest.mark.parametrize("skeleton", [SKELETON, ""], ids=["own", "default"])
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32 - 1))
def test_an_own_network_costs_what_the_graph_says(
    folder: Path, wiring: str, skeleton: str, seed: int
) -> None:
    home = own(folder, good(wiring, skeleton))
    (row,) = graph_table(home, home.sample(1, seed)).to_pylist()
    with torch.device("meta"):
        network = build_network(home, row["arch_id"])
    found = count_costs(network, 16 if skeleton else 32)
    assert found[:3] == (row["params"], row["flops"], row["activations"])


@pytest.mark.parametrize("wiring", [CHAIN, TWO_INPUTS])
def test_an_own_network_is_trained_at_any_size_of_images_and_classes(
    folder: Path, wiring: str
) -> None:
    home = own(folder, good(wiring))
    cell = home.decode(np.full(home.n_variables, 0.6))
    size = architecture_size(home, cell, classes=7, image=21)
    network = build_network(home, home.format(cell), classes=7, image=21)
    assert (size.layers, size.channels) == (4, 8)
    assert try_training(network, size) > 0
    assert network.eval()(torch.zeros(3, 3, 21, 21)).shape == (3, 7)


def test_the_first_cell_of_a_stage_changes_the_shape_and_the_skip_projects(folder: Path) -> None:
    home = own(folder, good(CHAIN))
    network = build_network(home, "|conv~0|+|skip_connect~0|depthwise~1|@d1w8s1-d2w12s2")
    first, second = (network.get_submodule(f"cells.{place}.operators.1") for place in (1, 2))
    assert isinstance(second, nn.Identity)
    assert isinstance(first, nn.Sequential)
    assert isinstance(first[0], nn.Conv2d)
    assert (first[0].in_channels, first[0].out_channels, first[0].stride) == (8, 12, (2, 2))


def test_no_command_imports_code_that_a_file_names_unless_it_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "blocks.py").write_text(BLOCKS)
    home = own(tmp_path, good(CHAIN), allow_code=False)
    out, ran = tmp_path / "some.parquet", tmp_path / "blocks.ran"
    write(graph_table(home, home.sample(5, 0)), out, "graphs", producer="snap-graphs")
    table = read(out, "graphs")
    assert table["params"].null_count == 5
    check_architectures(table, str(out))
    again = table_space(table)
    assert again.costs(None) is None  # type: ignore[arg-type]
    arch_id = table["arch_id"][0].as_py()
    for withheld in (again, space(str(tmp_path / "mine.toml"))):
        with pytest.raises(SnapError, match=r"names code \(blocks.py:Conv, .*add --allow-code"):
            build_network(withheld, arch_id)
    for arguments in (("info", out), ("validate", out), ("sample", tmp_path / "mine.toml", out)):
        more = ("-n", "3") if arguments[0] == "sample" else ()
        result = CliRunner().invoke(main, [*map(str, arguments), *more])
        assert result.exit_code == 0, result.output
    assert "names code (blocks.py:Conv, blocks.py:Depthwise), which is not" in result.stderr
    assert not ran.exists()
    sample = ("sample", str(tmp_path / "mine.toml"), str(out), "-n", "3", "--allow-code")
    assert CliRunner().invoke(main, sample).exit_code == 0
    assert read(out, "graphs")["params"].null_count == 0
    assert ran.exists()


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("blocks.py:Gone", "names no class; blocks.py has no Gone; correct it"),
        ("blocks.py:answer", "names no class"),
        ("os:system", "names no class"),
        ("absent.py:Conv", r"failed \(importing it raised FileNotFoundError: .*absent.py.*correct"),
        ("broken.py:Conv", "importing it raised ModuleNotFoundError: No module named 'snap_no_su"),
        ("snap_no_such_package:Conv", "importing it raised ModuleNotFoundError"),
        ("blocks.py:Raises", r"Raises\(8, 8, 1\) raised ValueError: no such block\); correct it"),
        ("blocks.py:Stumbles", r"Stumbles\(8, 8, 1\) on 8 x 16 x 16 raised RuntimeError: not tod"),
        ("blocks.py:Pair", r"turns \(8, 16, 16\) into tuple, not \(8, 16, 16\); correct it"),
        ("blocks.py:Keeps", r"turns \(8, 16, 16\) into \(8, 16, 16\), not \(12, 8, 8\)"),
        ("blocks.py:Plain", "is no torch.nn.Module; derive it from that"),
        ("torch.nn:Flatten", r"failed \(Flatten\(8, 8, 1\) raised TypeError"),
    ],
)
def test_bad_code_is_one_line_that_names_file_operator_and_class(
    folder: Path, module: str, problem: str
) -> None:
    home = own(folder, definition(CHAIN, SKELETON, bad=module))
    cell = home.parse("|bad~0|+|bad~0|bad~1|@d2w8s1-d2w12s2")
    start = rf"mine\.toml: operators\.bad\.module = '{module}' "
    for fails in (
        lambda: graph_table(home, [cell]),
        lambda: build_network(home, home.format(cell)),
    ):
        with pytest.raises(SnapError, match=start + rf".*{problem}") as caught:
            fails()
        assert "\n" not in str(caught.value)


def test_code_that_fails_in_training_only_is_one_line(folder: Path) -> None:
    home = own(folder, definition(CHAIN, SKELETON, bad="blocks.py:Fickle"))
    cell = home.parse("|bad~0|+|bad~0|bad~1|@d2w8s1-d2w12s2")
    network = build_network(home, home.format(cell))
    with pytest.raises(SnapError, match=r"fails in training \(RuntimeError: only in training"):
        try_training(network, architecture_size(home, cell))


@pytest.mark.parametrize(
    ("text", "size", "problem"),
    [
        (CHAIN, {}, "the network around its cells is unknown; give every operator a module"),
        (CHAIN + SKELETON, {}, r"operators\.up has no module; add one"),
        (CHAIN + SKELETON, {"layers": 3}, "layers and channels of mine are set by the skeleton"),
        (CHAIN + SKELETON, {"auxiliary": True}, "no auxiliary head; leave it out"),
    ],
)
def test_an_own_network_that_cannot_be_built_is_refused_in_one_line(
    folder: Path, text: str, size: dict[str, int], problem: str
) -> None:
    wiring, _, skeleton = text.partition("\n[skeleton]")
    operators = '\n[operators]\nup = "Upsampling"\n'
    skeleton = f"[skeleton]{skeleton}" if skeleton else ""
    home = own(folder, f'name = "mine"\n{wiring}{operators}{skeleton}')
    with pytest.raises(SnapError, match=problem):
        build_network(home, home.format(home.sample(1, 0)[0]), **size)  # type: ignore[arg-type]


@pytest.mark.parametrize("wiring", [CHAIN, TWO_INPUTS])
def test_the_nodes_of_a_network_add_up_to_it_and_have_the_shapes_that_the_module_gives(
    folder: Path, wiring: str
) -> None:
    home = own(folder, good(wiring))
    cells = home.sample(4, 0)
    for row in graph_table(home, cells).to_pylist():
        assert len(row["node_shape"]) == len(row["node_params"]) == len(row["nodes"])
        assert (sum(row["node_params"]), sum(row["node_flops"])) == (row["params"], row["flops"])
        seen = operator_shapes(build_network(home, row["arch_id"]))
        names = zip(row["nodes"], row["node_shape"], strict=True)
        inner = [shape for name, shape in names if name in ("none", "skip_connect", *GOOD)]
        assert inner == seen


def operator_shapes(network: nn.Module) -> list[list[int]]:
    """Return the shape of what each operator of each cell puts out, in the order of the cells."""
    seen: list[list[int]] = []
    for cell in network.get_submodule("cells").children():
        for operator in cell.get_submodule("operators").children():
            operator.register_forward_hook(lambda _module, _x, out: seen.append([*out.shape[1:]]))
    network.eval()(torch.zeros(1, 3, 16, 16))
    return seen


def test_shapes_are_known_without_the_code(folder: Path) -> None:
    counted, plain = (own(folder, good(CHAIN), allow_code=allow) for allow in (True, False))
    tables = [graph_table(home, home.sample(3, 0)) for home in (counted, plain)]
    assert tables[0]["node_shape"].equals(tables[1]["node_shape"])
    assert "node_params" not in tables[1].column_names
    assert tables[1]["params"].null_count == 3
