import pytest
from snap_catalog import SnapError
from snap_graphs import graph_table, space


def test_parameters_equal_those_the_benchmark_stores() -> None:
    published = {"8:8:8:8:8": 11_714, "8:8:16:40:40": 107_826, "64:64:64:64:64": 713_674}
    natss = space("natss")
    table = graph_table("natss", [natss.parse(name) for name in published])
    assert table["params"].to_pylist() == list(published.values())


def test_flops_and_activations_count_every_convolution_and_position() -> None:
    """Stem, cells and reductions of 8 channels by hand: sides 32, 32, 16, 16, 8, 8."""
    (row,) = graph_table("natss", [space("natss").parse("8:8:8:8:8")]).to_pylist()
    cell, reduction = 5 * 9 * 64, 2 * 9 * 64 + 64
    spatial = (27 * 8 + cell) * 32**2 + (reduction + cell) * 16**2 + (reduction + cell) * 8**2
    assert row["flops"] == spatial + 8 * 10
    assert row["activations"] == 8 * (6 * 32**2 + 8 * 16**2 + 8 * 8**2) + 10


def test_the_space_has_its_published_size_and_its_cells_are_chains() -> None:
    natss = space("natss")
    assert natss.count() == 32_768
    cell = natss.parse("8:16:24:32:40")
    assert cell.nodes[1:-1] == ("cell_c8", "reduction_c16", "cell_c24", "reduction_c32", "cell_c40")
    assert cell.edges == ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6))


@pytest.mark.parametrize("text", ["8:8:8:8", "8:8:8:8:9", "8:8:8:8:08", "8:8:8:8:\n8", "", "a"])
def test_another_string_is_refused_by_name(text: str) -> None:
    with pytest.raises(SnapError, match="not a network of NATS-Bench's size space"):
        space("natss").parse(text)
