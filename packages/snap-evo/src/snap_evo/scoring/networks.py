"""The networks of a user's function, by the names under which they were traced."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from snap_catalog import SnapError
from snap_graphs.torch.trace import Inputs, Source
from torch import nn, random


class Network(NamedTuple):
    """A network with initial weights, and the side of its images, None if unknown."""

    module: nn.Module
    side: int | None


def sourced(text: str, rows: Mapping[str, int]) -> Iterator[tuple[int, Network]]:
    """Make the networks of rows, each with the same state of torch's random numbers.

    Args:
        text: `file.py:function` or `package.module:function`, as `snap-graphs trace` takes it.
        rows: by name of the network.

    Yields:
        A row and its network.

    Raises:
        SnapError: the code fails, a network takes anything but images, or a network is missing.
    """
    missing = dict(rows)
    if not missing:
        return
    with random.fork_rng(devices=[]):
        random.manual_seed(0)
        for given in Source.of(text).open(weights=True):
            if given.name in missing:
                yield (
                    missing.pop(given.name),
                    Network(given.module, _side(f"{text}: {given.name!r:.80}", given.inputs)),
                )
            random.manual_seed(0)
            if not missing:
                return
    raise SnapError(f"{text}: makes no network called {next(iter(missing))!r:.80}; trace it again")


def _side(who: str, inputs: Inputs | None) -> int | None:
    if inputs is None:
        return None
    shapes = [each.shape for each in inputs.items]
    if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][0] != 3 or shapes[0][1] != shapes[0][2]:
        shown = ", ".join(str(shape) for shape in shapes)
        raise SnapError(
            f"{who} takes {shown}; proxies need networks for square images of three channels; "
            "leave out the others"
        )
    return shapes[0][-1]
