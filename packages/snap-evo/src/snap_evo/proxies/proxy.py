"""The interface of proxies: passes through a network, and a score computed from their records."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor, nn


class Batch(NamedTuple):
    """Images with labels.

    Attributes:
        images: (b, 3, side, side) float32.
        labels: (b,) int64, the number of each image's class.
    """

    images: "Tensor"
    labels: "Tensor"


class Trial(NamedTuple):
    """The input of a pass.

    Attributes:
        network: a copy with the initial weights, in training mode, which the pass may change.
        batch: returns the batch of a number, the same for every pass.
        batches: number of batches.
    """

    network: "nn.Module"
    batch: Callable[[int], Batch]
    batches: int


class Pass(NamedTuple):
    """A run of a network, done once for all proxies that need it.

    Random numbers that it draws from torch's global generator are the same whatever ran before.

    Attributes:
        name: name of its time.
        run: runs the network and returns a record.
        imports: whether it triggers large imports of torch, which should not count as its time.
    """

    name: str
    run: Callable[[Trial], Any]
    imports: bool = False


class Proxy(NamedTuple):
    """A score of a network at initialisation.

    Attributes:
        name: name of the proxy.
        passes: the passes that it needs.
        value: maps their records, in the same order, to the score; higher is better, and anything
            but a finite number becomes `NO_SCORE`.
    """

    name: str
    passes: tuple[Pass, ...]
    value: Callable[..., float]
