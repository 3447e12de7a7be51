import itertools
import re
import struct
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
from snap_graphs.drawing.layout import lay_out

CELL = Cell(
    ("input", "conv", "max_pool", "own", "output"), ((0, 1), (0, 2), (1, 4), (2, 3), (3, 4))
)

_SIDES = ("width", "height")


def texts_of(path: Path) -> list[str]:
    """Return the lines of text in a drawing."""
    lines = ET.parse(path).getroot().iter("{http://www.w3.org/2000/svg}text")
    return ["".join(line.itertext()) for line in lines]


def test_a_drawing_shows_every_operator_and_edge(tmp_path: Path) -> None:
    path = tmp_path / "cell.svg"
    draw(CELL, path, title="a title")
    root = ET.parse(path).getroot()
    assert {"conv", "max pool", "own", "a title"} <= set(texts_of(path))
    assert len(root.findall("*[@stroke-width]")) == len(CELL.edges)
    assert len(root.findall("*[@rx]")) == len(CELL.nodes)


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
    texts = texts_of(path)
    for label in ("normal cell", "reduction cell", "a title"):
        assert texts.count(label) == 1
    for label in ("ck-2", "ck-1", "ck", "0", "1", "2", "3"):
        assert texts.count(label) == 2
    for name in set(cell.nodes[2:-1]):
        assert texts.count(name.replace("_", " ")) == cell.nodes.count(name)
    width, height = (float(ET.parse(path).getroot().get(side, "")[:-2]) for side in _SIDES)
    assert width > height


def test_a_view_of_two_cells_is_drawn_as_one_graph(tmp_path: Path) -> None:
    draw_architecture("darts", CELL, tmp_path / "one.svg")
    draw(CELL, tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_title_wider_than_the_drawing_takes_several_lines(tmp_path: Path) -> None:
    draw(CELL, tmp_path / "cell.svg", title=" ".join(["genotype"] * 40))
    lines = [text for text in texts_of(tmp_path / "cell.svg") if "genotype" in text]
    assert len(lines) > 1
    assert " ".join(lines).split() == ["genotype"] * 40


DENSE = Cell(
    ("input", *["conv", "max_pool"] * 63, "output"), tuple(itertools.combinations(range(128), 2))
)


def test_edges_of_a_graph_too_large_for_lanes_are_drawn_as_plain_curves(tmp_path: Path) -> None:
    path = tmp_path / "cell.svg"
    draw(DENSE, path)
    curves = re.findall(r' d="M[^"C]+C[^"C]+"', path.read_text())
    assert len(curves) == len(DENSE.edges)
    assert texts_of(path).count("conv") == 63


def test_only_a_graph_with_many_passed_layers_goes_without_lanes() -> None:
    small = lay_out(12, tuple(itertools.combinations(range(12), 2)), lambda _: 1.0)
    large = lay_out(len(DENSE.nodes), DENSE.edges, lambda _: 1.0)
    assert small.has_lanes
    assert not large.has_lanes
    assert large.places.keys() == {(node,) for node in range(len(DENSE.nodes))}
    assert all(way == [(src,), (dst,)] for (src, dst), way in large.ways.items())


def test_a_graph_of_too_many_nodes_is_refused(tmp_path: Path) -> None:
    chain = Cell(("input", *["x"] * 600, "output"), tuple(itertools.pairwise(range(602))))
    with pytest.raises(SnapError, match=r"a drawing has at most 512 nodes, not 602"):
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
    assert {"a\ufffdb", "one two\ufffd"} <= set(texts_of(path))


def test_an_endless_title_is_cut(tmp_path: Path) -> None:
    draw(CELL, tmp_path / "cell.svg", title="word " * 100_000)
    assert (tmp_path / "cell.svg").stat().st_size < 1_000_000


def test_an_svg_needs_no_plotting_library_and_a_png_names_the_extra_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    draw(CELL, tmp_path / "cell.svg")
    with pytest.raises(SnapError, match=r"matplotlib is required.*'snap-graphs\[draw\]'"):
        draw(CELL, tmp_path / "cell.png")
    assert [path.name for path in tmp_path.iterdir()] == ["cell.svg"]
