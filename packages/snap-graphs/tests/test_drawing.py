import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from snap_catalog import SnapError
from snap_graphs import Cell, space
from snap_graphs.drawing import draw, draw_architecture

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
