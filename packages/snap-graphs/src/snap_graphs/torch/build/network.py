"""Build the complete network of a cell."""

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
    """Build the network that a benchmark trains for a cell, with random weights.

    Args:
        space: `nb101`, `nb201`, `transnas-micro`, `transnas-macro`, `darts`, `nds`, or a
            user-defined space with a skeleton, whose code is imported if it is allowed.
        arch_id: native string of the cell.
        auxiliary: add a second classifier for training (`darts` and `nds`).
        given: fields of `Size`; the others are those of the benchmark. In `darts` and `nds`, an
            `image` of 64 or more uses the ImageNet stem.

    Returns:
        A module that maps (b, 3, image, image) float32 images to (b, classes) logits, or to a pair
        of logits in training with an auxiliary head. Save it with
        `torch.save(module.state_dict(), path)`, and restore it with
        `load_state_dict(torch.load(path))` on a module built with the same arguments.

    Raises:
        SnapError: torch is missing, the space has no known network, the cell is not in the space,
            the network cannot have that size, or user code fails.
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
        from snap_graphs.torch.build.own_network import OwnNetwork

        return OwnNetwork(found, cell, size)
    from snap_graphs.torch.build import cell_networks

    builders = {
        "nb101": cell_networks.nb101_network,
        "nb201": cell_networks.nb201_network,
        "transnas-micro": cell_networks.transnas_micro_network,
        "transnas-macro": cell_networks.transnas_macro_network,
    }
    return builders[found.name](cell, size)
