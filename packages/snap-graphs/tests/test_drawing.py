import itertools
import re
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs import Cell, space
from snap_graphs.drawing import draw, draw_architecture
from snap_graphs.layout import lay_out

CELL = Cell(
    ("input", "conv", "max_pool", "own", "output"), ((0, 1), (0, 2), (1, 4), (2, 3), (3, 4))
)

_SIDES = ("width", "height")


def test_a_drawing_shows_every_operator_and_edge(tmp_path: Path) -> None:
    path = tmp_path / "cell.svg"
    draw(CELL, path, title="a title")
    root = ET.parse(path).getroot()
    ids = [element.get("id", "") for element in root.iter()]
    comments = path.read_text()
    assert all(f"<!-- {label} -->" in comments for label in ("conv", "max pool", "own", "a title"))
    assert sum(name.startswith("patch_") for name in ids) >= len(CELL.edges) + len(CELL.nodes)


def test_equal_cells_give_equal_files(tmp_path: Path) -> None:
    for suffix in ("svg", "png"):
        one, two = tmp_path / f"1.{suffix}", tmp_path / f"2.{suffix}"
        draw(CELL, one)
        draw(CELL, two)
        assert one.read_bytes() == two.read_bytes()


def test_a_cell_without_edges_is_drawn(tmp_path: Path) -> None:
    draw(Cell(("input", "none", "output"), ()), tmp_path / "cell.png")
    assert (tmp_path / "cell.png").read_bytes().startswith(b"\x89PNG")


def test_a_drawing_that_cannot_be_written_is_told(unwritable: Path) -> None:
    with pytest.raises(SnapError, match="cannot write here"):
        draw(CELL, unwritable / "cell.svg")


def test_two_cells_are_drawn_side_by_side_with_their_inputs_sums_and_outputs(
    tmp_path: Path,
) -> None:
    path = tmp_path / "cells.svg"
    cell = space("darts").sample(1, seed=0)[0]
    draw_architecture("darts", cell, path, title="a title")
    text = path.read_text()
    labels = ("normal cell", "reduction cell", "a title", "$c_{k-2}$", "$c_{k-1}$", "$c_{k}$")
    assert all(f"<!-- {label} -->" in text for label in labels)
    for label, times in (("normal cell", 1), ("$c_{k}$", 2), *((str(n), 2) for n in range(4))):
        assert text.count(f"<!-- {label} -->") == times
    for name in set(cell.nodes[2:-1]):
        shown = text.count(f"<!-- {name.replace('_', ' ')} -->")
        assert shown == cell.nodes.count(name)
    width, height = (float(ET.parse(path).getroot().get(side, "")[:-2]) for side in _SIDES)
    assert width > height


def test_a_view_of_two_cells_is_drawn_as_one_graph(tmp_path: Path) -> None:
    draw_architecture("darts", CELL, tmp_path / "one.svg")
    draw(CELL, tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_title_wider_than_the_drawing_takes_several_lines(tmp_path: Path) -> None:
    draw(CELL, tmp_path / "cell.svg", title=" ".join(["genotype"] * 40))
    lines = re.findall(r"<!-- ((?:genotype ?)+) -->", (tmp_path / "cell.svg").read_text())
    assert len(lines) > 1
    assert " ".join(lines).split() == ["genotype"] * 40


DENSE = Cell(
    ("input", *["conv", "max_pool"] * 63, "output"), tuple(itertools.combinations(range(128), 2))
)


def test_edges_of_a_graph_too_large_for_lanes_are_drawn_as_plain_curves(tmp_path: Path) -> None:
    path = tmp_path / "cell.svg"
    draw(DENSE, path)
    curves = re.findall(r' d="M [^"C]+C [^"C]+"', path.read_text())
    assert len(curves) == len(DENSE.edges)
    assert path.read_text().count("<!-- conv -->") == 63


def test_only_a_graph_with_many_passed_layers_goes_without_lanes() -> None:
    small = lay_out(12, tuple(itertools.combinations(range(12), 2)), lambda _: 1.0)
    large = lay_out(len(DENSE.nodes), DENSE.edges, lambda _: 1.0)
    assert small.has_lanes
    assert not large.has_lanes
    assert large.places.keys() == {(node,) for node in range(len(DENSE.nodes))}
    assert all(way == [(src,), (dst,)] for (src, dst), way in large.ways.items())


def test_a_graph_of_too_many_nodes_is_refused(tmp_path: Path) -> None:
    chain = Cell(("input", *["x"] * 600, "output"), tuple(itertools.pairwise(range(602))))
    with pytest.raises(SnapError, match=r"cell\.svg: a drawing shows 512 nodes, not 602"):
        draw(chain, tmp_path / "cell.svg")


def test_a_wide_drawing_takes_fewer_dots(tmp_path: Path) -> None:
    long = Cell(("input", *["x" * 500] * 126, "output"), tuple(itertools.pairwise(range(128))))
    draw(long, tmp_path / "cell.png")
    width, height = struct.unpack(">II", (tmp_path / "cell.png").read_bytes()[16:24])
    assert width <= 20_000
    assert width * height <= 10_000_000


texts = st.text(max_size=30) | st.sampled_from(
    [
        "\x00\x1b[1m",
        "a\nb\tc",
        "$\\frac{$",
        "a$b$",
        "]]>--><!--",
        "\ud800",
        "\uffff",
        "<&\">'",
        "漢字",
    ]
)


@given(title=texts, name=texts.filter(lambda name: name not in ("", "input", "output")))
@settings(max_examples=40, deadline=None)
def test_any_title_and_operator_name_makes_valid_xml(title: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cell.svg"
        draw(Cell(("input", name, "output"), ((0, 1), (1, 2))), path, title=title)
        ET.parse(path)
        draw(
            Cell(("input", name, "output"), ((0, 1), (1, 2))), path.with_suffix(".png"), title=title
        )


def test_a_character_that_cannot_be_printed_leaves_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "cell.svg"
    draw(Cell(("input", "a\x07b", "output"), ((0, 1), (1, 2))), path, title="one\ntwo\x00")
    assert {"<!-- a\ufffdb -->", "<!-- one two\ufffd -->"} <= set(
        re.findall("<!-- .* -->", path.read_text())
    )


def test_an_endless_title_is_cut(tmp_path: Path) -> None:
    draw(CELL, tmp_path / "cell.svg", title="word " * 100_000)
    assert (tmp_path / "cell.svg").stat().st_size < 1_000_000


def test_importing_the_drawing_loads_no_plotting_library() -> None:
    code = "import sys, snap_graphs.drawing; print({'matplotlib', 'networkx'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
