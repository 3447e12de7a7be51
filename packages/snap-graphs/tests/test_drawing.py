import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from snap_catalog import SnapError
from snap_graphs import Cell
from snap_graphs.drawing import draw

CELL = Cell(
    ("input", "conv", "max_pool", "own", "output"), ((0, 1), (0, 2), (1, 4), (2, 3), (3, 4))
)


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
