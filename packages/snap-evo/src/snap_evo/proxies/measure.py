"""Score a network by proxies."""

import copy
import math
import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from snap_catalog import SnapError
from snap_catalog.errors import is_short_of_memory
from snap_catalog.extras import require
from snap_catalog.scores import NO_SCORE

from snap_evo.proxies.images import USUAL_SIDE, Images, generator, open_images
from snap_evo.proxies.proxy import Batch, Pass, Trial
from snap_evo.proxies.registry import COMBINED, PROXIES, check_names
from snap_evo.proxies.settings import Settings
from snap_evo.scorers import Measured

if TYPE_CHECKING:
    import torch
    from torch import nn


def score_network(
    network: "nn.Module", names: Iterable[str], settings: Settings | None = None
) -> dict[str, float]:
    """Score a network by proxies.

    Args:
        network: maps (b, 3, side, side) images to (b, classes) logits; it is left as it is. Its
            weights count as its initialisation, except for `zen`, which draws its own.
        names: of proxies that score a single network.
        settings: the settings of the proxies; the default side of images is 32.

    Returns:
        By name the score, the mean over seeds; higher is better, `NO_SCORE` if not finite.

    Raises:
        SnapError: a name is unknown, a package is missing, or the network fails.
    """
    return measure_network(network, names, settings).values


def measure_network(
    network: "nn.Module",
    names: Iterable[str],
    settings: Settings | None = None,
    images: Images | None = None,
) -> Measured:
    """Score a network as `score_network` does, with the same errors, and time it.

    `images` is an opened source of batches, or None to open that of the settings.
    """
    require("snap-evo[proxies]", "torch")
    settings, chosen = settings or Settings(), check_names(names)
    for name in chosen:
        if name in COMBINED:
            raise SnapError(
                f"{name} ranks the networks of a table and cannot score a single one; "
                "use ProxyScorer"
            )
    source = images or open_images(settings)
    side = settings.image or source.side or USUAL_SIDE
    classes = _outputs(network, side)
    if source.classes is not None and classes < source.classes:
        raise SnapError(
            f"the network has {classes} outputs for the {source.classes} classes of {source.name}"
        )
    runs = [_Run(network, settings.of_seed(seed), source, side, classes) for seed in settings.seeds]
    return averaged(
        [Measured({n: run.value(n) for n in chosen}, run.seconds, source.name) for run in runs]
    )


def averaged(by_seed: Sequence[Measured]) -> Measured:
    """Return the mean scores over seeds, and how long these took together.

    A network that is `NO_SCORE` for one of the seeds stays so.
    """
    first = by_seed[0]
    values = {name: _mean([each.values[name] for each in by_seed]) for name in first.values}
    seconds = {name: sum(each.seconds[name] for each in by_seed) for name in first.seconds}
    return Measured(values, seconds, first.images)


def _mean(values: Sequence[float]) -> float:
    return NO_SCORE if NO_SCORE in values else math.fsum(values) / len(values)


def _outputs(network: "nn.Module", side: int) -> int:
    """Return the number of logits of a network, and refuse anything but a classifier of images."""
    import torch

    images = torch.zeros(1, 3, side, side).to(_device(network))
    infer = torch.no_grad()(lambda: copy.deepcopy(network).eval()(images))
    logits = _guarded("inference", infer)
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2:
        shape = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise SnapError(f"the network returns {shape}, not (b, classes) logits; correct it")
    return logits.shape[1]


def _device(network: "nn.Module") -> "torch.device":
    import torch

    return next((p.device for p in network.parameters()), torch.device("cpu"))


def _guarded(doing: str, run: Any) -> Any:
    """Run a network, which may be anybody's code, and report its failure in one line."""
    try:
        return run()
    except SnapError:
        raise
    except (Exception, SystemExit) as error:
        if is_short_of_memory(error):
            raise SnapError(
                f"memory is too short for the network in {doing}; use a smaller "
                "batch, or run fewer networks at a time"
            ) from error
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SnapError(f"the network fails in {doing} ({reason:.200}); correct it") from error


class _Run:
    """The passes of one seed through a network, each run once, on demand."""

    def __init__(
        self, network: "nn.Module", settings: Settings, source: Images, side: int, classes: int
    ) -> None:
        self._network, self._settings, self._source = network, settings, source
        self._side, self._classes = side, classes
        self._records: dict[str, Any] = {}
        self.seconds: dict[str, float] = {}

    def value(self, name: str) -> float:
        proxy = PROXIES[name]
        records = [self._record(each) for each in proxy.passes]
        value = _guarded(name, lambda: proxy.value(*records))
        return max(value, NO_SCORE) if math.isfinite(value) else NO_SCORE

    def _record(self, each: Pass) -> Any:
        if each.name not in self._records:
            if each.imports:
                _import_late()
            began = time.perf_counter()
            self._records[each.name] = self._run(each)
            self.seconds[each.name] = time.perf_counter() - began
        return self._records[each.name]

    def _run(self, each: Pass) -> Any:
        import torch

        trial = Trial(fresh(self._network), self._batch, self._settings.batches)
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(generator(self._settings.seed, each.name).initial_seed())
            return _guarded(f"the pass {each.name!r}", lambda: each.run(trial))

    def _batch(self, number: int) -> Batch:
        import torch

        settings = self._settings
        drawn = self._source.draw(settings.batch, self._side, self._classes, settings.seed, number)
        device = _device(self._network)
        images = drawn.images.to(device, memory_format=torch.channels_last)
        return Batch(images, drawn.labels.to(device))


@cache
def _import_late() -> None:
    """Trigger torch's deferred imports, so that they do not count as a network's time."""
    import torch

    from snap_evo.proxies.watch import ActivationWatch

    with ActivationWatch(lambda entering: None):
        torch.zeros(1).relu()


def fresh(network: "nn.Module") -> "nn.Module":
    """Return a copy in training mode, with gradients for all parameters and nothing in place.

    Channels are last in memory, which halves the time of convolutions on a CPU.
    """
    import torch

    copied = copy.deepcopy(network).train().requires_grad_()
    copied = copied.to(memory_format=torch.channels_last)
    for module in copied.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    return copied
