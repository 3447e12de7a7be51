"""Train a network: epochs of steps, each followed by validation."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from snap_catalog import SnapError
from snap_catalog.console import Advance
from snap_catalog.errors import is_short_of_memory
from snap_graphs.torch.build.genotype_network import GenotypeNetwork
from torch import Tensor, nn
from torch.nn import functional

from snap_evo.training.augmentation import augmented, blank
from snap_evo.training.checkpoint import Epoch, State, Tensors
from snap_evo.training.data import Data, Part
from snap_evo.training.recipe import Recipe

_MOMENTUM = 0.9
_AUXILIARY_WEIGHT = 0.4
_VALIDATION_BATCH = 500
_PRIME = 1_000_003
"""Keeps the seeds of the epochs of two trainings apart."""


@dataclass(frozen=True)
class Trainer:
    """Trains one network; equal arguments give equal weights on one kind of processor.

    Attributes:
        network: maps (b, 3, side, side) images to (b, classes) logits; in training perhaps to two
            of them, the second of an auxiliary head.
        data: training and validation images.
        recipe: the settings.
        seed: of the order of images, augmentation, and randomness within the network.
        device: the device of the network.
    """

    network: nn.Module
    data: Data
    recipe: Recipe
    seed: int
    device: torch.device

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return max(1, len(self.data.train.labels) // self.recipe.batch_size)

    def run(self, state: State, keep: Callable[[State], None], advance: Advance) -> State:
        """Train until all epochs are over.

        Args:
            state: the state of an earlier run.
            keep: called with the state after every epoch.
            advance: called after every step.

        Raises:
            SnapError: the loss is not finite, the network fails, or memory is short.
        """
        self.network.to(self.device)
        optimiser = self._optimiser()
        if state.epochs:
            self._restore(optimiser, state)
        for number in range(len(state.epochs), self.recipe.epochs):
            state = self._after(state, self._epoch(number, optimiser, advance), optimiser)
            keep(state)
            advance(0, f"validation accuracy {state.epochs[-1].valid_accuracy:.2f} %")
        return state

    def _restore(self, optimiser: torch.optim.Optimizer, state: State) -> None:
        try:
            self.network.load_state_dict(dict(state.network))
            _load_tensors(optimiser, state.optimiser)
        except (RuntimeError, KeyError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise SnapError(
                f"the checkpoint does not fit the network ({reason:.200}); remove it to start over"
            ) from error

    def _after(self, state: State, epoch: Epoch, optimiser: torch.optim.Optimizer) -> State:
        weights = {name: t.detach().clone() for name, t in self.network.state_dict().items()}
        better = not state.epochs or epoch.valid_accuracy > state.best_epoch.valid_accuracy
        best = weights if better else state.best
        return State([*state.epochs, epoch], weights, _tensors(optimiser), best)

    def _epoch(self, number: int, optimiser: torch.optim.Optimizer, advance: Advance) -> Epoch:
        begin, rate = time.perf_counter(), self.recipe.rate(number)
        torch.manual_seed(self.seed * _PRIME + number)
        for group in optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        if isinstance(self.network, GenotypeNetwork):
            self.network.set_drop_path(self.recipe.drop_path * number / self.recipe.epochs)
        total = torch.zeros((), device=self.device)
        for images, labels in self._batches(number):
            with self._running():
                total += self._step(images, labels, optimiser)
            advance(1)
        train_loss = float(total) / self.steps
        loss, accuracy = self._validate(self.data.valid)
        for value in (train_loss, loss):
            if not math.isfinite(value):
                raise SnapError(
                    f"the loss is {value} in epoch {number + 1}; lower the learning rate (it "
                    f"begins at {self.recipe.learning_rate:g})"
                )
        return Epoch(number + 1, rate, train_loss, loss, accuracy, time.perf_counter() - begin)

    def _batches(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches of an epoch's augmented training images, and their labels, in its order."""
        random = torch.Generator().manual_seed(self.seed * _PRIME + number)
        part = self.data.train
        for numbers in torch.randperm(len(part.labels), generator=random).tensor_split(self.steps):
            images = part.pixels.read(numbers.tolist()).to(self.device)
            images = self._normalised(augmented(images, self.recipe.augment, random))
            if "cutout" in self.recipe.augment:
                images = blank(images, random)
            yield images, part.labels[numbers].to(self.device)

    def _normalised(self, images: Tensor) -> Tensor:
        mean, deviation = (
            torch.tensor(values, dtype=torch.float32, device=self.device)[:, None, None]
            for values in self.data.normalisation
        )
        return (images.to(torch.float32) - mean) / deviation

    def _step(self, images: Tensor, labels: Tensor, optimiser: torch.optim.Optimizer) -> Tensor:
        found = self.network(images)
        heads = found if isinstance(found, tuple) else (found,)
        logits, *auxiliary = (
            functional.cross_entropy(head, labels, label_smoothing=self.recipe.smoothing)
            for head in heads
        )
        loss = logits + _AUXILIARY_WEIGHT * sum(auxiliary)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        if self.recipe.clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        optimiser.step()
        return logits.detach()

    @torch.no_grad()
    def _validate(self, part: Part) -> tuple[float, float]:
        """Return the mean loss and the accuracy in percent."""
        self.network.eval()
        loss, right, count = 0.0, 0, len(part.labels)
        for numbers in torch.arange(count).tensor_split(-(-count // _VALIDATION_BATCH)):
            with self._running():
                images = part.pixels.read(numbers.tolist()).to(self.device)
                logits, labels = self.network(self._normalised(images)), part.labels[numbers]
                labels = labels.to(self.device)
                loss += float(functional.cross_entropy(logits, labels, reduction="sum"))
                right += int((logits.argmax(1) == labels).sum())
        return loss / count, 100 * right / count

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Report the failure of a network, which may hold anybody's code, in one line."""
        try:
            yield
        except (SnapError, MemoryError):
            raise
        except torch.OutOfMemoryError as error:
            raise SnapError(
                f"too little memory on {self.device} for batches of {self.recipe.batch_size}; "
                "lower the batch size"
            ) from error
        except Exception as error:
            if is_short_of_memory(error):
                raise
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise SnapError(f"the network fails in training ({reason:.200}); correct it") from error

    def _optimiser(self) -> torch.optim.Optimizer:
        parameters, recipe = self.network.parameters(), self.recipe
        if recipe.optimiser == "rmsprop":
            return torch.optim.RMSprop(
                parameters,
                recipe.learning_rate,
                alpha=0.9,
                eps=1.0,
                weight_decay=recipe.weight_decay,
                momentum=_MOMENTUM,
            )
        return torch.optim.SGD(
            parameters,
            recipe.learning_rate,
            momentum=_MOMENTUM,
            weight_decay=recipe.weight_decay,
            nesterov=recipe.optimiser == "nesterov",
        )


def _tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    entries = optimiser.state_dict()["state"]
    return {
        f"{number}.{name}": value.detach().clone()
        for number, values in entries.items()
        for name, value in values.items()
        if isinstance(value, Tensor)
    }


def _load_tensors(optimiser: torch.optim.Optimizer, tensors: Tensors) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
