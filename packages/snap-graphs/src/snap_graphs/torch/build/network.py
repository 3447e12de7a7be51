"""Build the network around a cell."""

from typing import TYPE_CHECKING, Unpack

from snap_catalog import SnapError
from snap_catalog.extras import require

from snap_graphs import Space
from snap_graphs import space as named_space
from snap_graphs.spaces.custom import CustomSpace
from snap_graphs.spaces.genotypes import TWO_CELL_SPACES, to_genotype
from snap_graphs.torch.build.size import Numbers, architecture_size

if TYPE_CHECKING:
    from torch import nn


def build_network(
    space: str | Space,
    arch_id: str,
    *,
    auxiliary: bool = False,
    **given: Unpack[Numbers],
) -> "nn.Module":
    """Build the network that a space's benchmark trains around a cell, with random weights.

    Args:
        space: `nb101`, `nb201`, `transnas-micro`, `transnas-macro`, `darts`, `nds`, or a space of
            your own with a skeleton, whose code may be imported.
        arch_id: the cell, as the space's own string.
        auxiliary: whether a second classifier helps training (`darts` and `nds`).
        given: any fields of `Size`; by default those of the benchmark. In `darts` and `nds`, an
            `image` of 64 and more uses the ImageNet stem.

    Returns:
        A module that maps (b, 3, image, image) float32 images to (b, classes) logits; in training
        with an auxiliary head to a pair of them. It holds no reference to the search, so that
        `torch.save(module.state_dict(), path)` and, on a module built alike,
        `load_state_dict(torch.load(path))` keep it.

    Raises:
        SnapError: torch is missing, the space has no known network, the cell is none of the
            space, the network cannot have that size, or the code of your own fails.
    """
    found = named_space(space)
    cell = found.parse(arch_id)
    size = architecture_size(found, cell, **given)
    require("snap-graphs[torch]", "torch")
    if found.name in TWO_CELL_SPACES:
        from snap_graphs.torch.build.genotype_network import GenotypeNetwork

        return GenotypeNetwork(to_genotype(cell), size, auxiliary)
    if auxiliary:
        raise SnapError(f"the networks of {found.name} have no auxiliary head; leave it out")
    if isinstance(found, CustomSpace):
        from snap_graphs.torch.build.own_network import own_network

        return own_network(found, cell, size)
    from snap_graphs.torch.build import cell_networks

    builders = {
        "nb101": cell_networks.nb101_network,
        "nb201": cell_networks.nb201_network,
        "transnas-micro": cell_networks.transnas_micro_network,
        "transnas-macro": cell_networks.transnas_macro_network,
    }
    return builders[found.name](cell, size)
