"""What a proxy is: the passes it needs, and the number it makes of what they recorded."""

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
    """What a pass works on.

    Attributes:
        network: a copy with the initial weights, in training mode, which the pass may change.
        batch: returns the batch of a number; the same batch for every pass.
        batches: how many batches there are.
    """

    network: "nn.Module"
    batch: Callable[[int], Batch]
    batches: int


class Pass(NamedTuple):
    """A run of a network that one or more proxies need; it is done once for all of them.

    Random numbers that it draws from torch's global generator are the same whatever ran before.

    Attributes:
        name: what its time is listed under.
        run: runs the network and returns what was recorded.
        imports: whether it uses what has torch import much, once a process, which no network's
            time should hold.
    """

    name: str
    run: Callable[[Trial], Any]
    imports: bool = False


class Proxy(NamedTuple):
    """A score of a network at initialisation.

    Attributes:
        name: what users call it.
        passes: the passes that it needs.
        value: maps what these recorded, in the same order, to the score; higher is better, and
            anything but a finite number becomes `NO_SCORE`.
    """

    name: str
    passes: tuple[Pass, ...]
    value: Callable[..., float]
