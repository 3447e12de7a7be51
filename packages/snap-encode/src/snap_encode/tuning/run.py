"""A tuning run."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from snap_catalog import SnapError
from snap_catalog.parquet import replacing
from torch import Tensor

from snap_encode.models import Model
from snap_encode.tuning.adapter import Adapter
from snap_encode.tuning.batches import Batches
from snap_encode.tuning.evaluate import reciprocal_rank
from snap_encode.tuning.examples import digest, examples, targets
from snap_encode.tuning.losses import LOSSES
from snap_encode.tuning.recipe import Recipe

_WEIGHTS, _OPTIMISER = "weights.", "optimiser."


class Epoch(NamedTuple):
    """Result of an epoch: mean loss, and mean reciprocal rank on the validation operators."""

    loss: float
    reciprocal_rank: float


class Run:
    """Tunes an encoder epoch by epoch.

    Random draws depend on the seed and the epoch alone, so that a resumed run gives the same result
    as an uninterrupted one.

    Attributes:
        settings: everything that the weights depend on; equal settings give equal weights.
        recipe: the recipe.
        adapter: the current encoder.
        history: one entry per finished epoch.
    """

    def __init__(self, base: Model, recipe: Recipe, seed: int) -> None:
        """Begin to tune a model; the seed determines the initial weights and the batches."""
        known = examples("train")
        self.settings: dict[str, Any] = {
            **asdict(recipe),
            "seed": seed,
            "base": base.name,
            "base_sha256": base.sha256,
            "corpus_sha256": digest(known),
        }
        self.adapter = Adapter(base, recipe, seed)
        self.history: list[Epoch] = []
        self.recipe, self._seed = recipe, seed
        self._batches = Batches(known, recipe)
        self._optimiser = torch.optim.AdamW(self.adapter.parameters(), weight_decay=0.0)

    @property
    def finished(self) -> bool:
        """Whether all epochs are finished."""
        return len(self.history) == self.recipe.epochs

    def epoch(self) -> Epoch:
        """Run the next epoch, and return its result.

        Raises:
            SnapError: the loss is not finite.
        """
        number = len(self.history)
        random = np.random.default_rng([self._seed, number])
        first = number * self.recipe.steps
        losses = [self._step(random, first + i) for i in range(self.recipe.steps)]
        self.history.append(Epoch(float(np.mean(losses)), reciprocal_rank(self.adapter.embed)))
        return self.history[-1]

    def _step(self, random: np.random.Generator, number: int) -> float:
        batch = self._batches.draw(random)
        vectors = self.adapter([example.text for example in batch])
        loss = LOSSES[self.recipe.loss](vectors, torch.from_numpy(targets(batch)))
        if not math.isfinite(value := loss.item()):
            raise SnapError(
                f"the {self.recipe.loss} loss became {value} in step {number + 1} of seed "
                f"{self._seed}; try another seed, or a recipe with a lower learning rate"
            )
        for group in self._optimiser.param_groups:
            group["lr"] = _learning_rate(self.recipe, number)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return value

    def save(self, path: Path) -> None:
        """Write the state for `resume` atomically.

        Raises:
            SnapError: the file cannot be written.
        """
        weights = {_WEIGHTS + name: value for name, value in self.adapter.state().items()}
        moments = {
            f"{_OPTIMISER}{i}.{name}": value
            for i, state in self._optimiser.state_dict()["state"].items()
            for name, value in state.items()
        }
        about = {"settings": json.dumps(self.settings), "history": json.dumps(self.history)}
        with replacing(path) as temporary:
            temporary.write_bytes(save({**weights, **moments}, about))

    def resume(self, path: Path) -> None:
        """Load the state of an interrupted run.

        Raises:
            SnapError: the file is damaged, or belongs to a run with other settings.
        """
        try:
            with safe_open(path, "pt") as file:
                about = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
            settings = dict(json.loads(about["settings"]))
            history = [Epoch(*map(float, entry)) for entry in json.loads(about["history"])]
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise _damaged(path, str(error)) from error
        for name, value in self.settings.items():
            if settings.get(name) != value:
                raise SnapError(
                    f"{path}: the saved run has {name} {settings.get(name)!r}, not {value!r}; "
                    "resume with the same settings, or remove the file and start again"
                )
        if not 0 < len(history) <= self.recipe.epochs:
            raise _damaged(path, f"{len(history)} epochs of {self.recipe.epochs}")
        if (wrong := self._wrong(tensors)) is not None:
            raise _damaged(path, f"{wrong} is missing, unknown, of another shape or not finite")
        self.adapter.restore(_named(tensors, _WEIGHTS))
        self._optimiser.load_state_dict(self._moments(_named(tensors, _OPTIMISER)))
        self.history = history

    def _wrong(self, tensors: dict[str, Tensor]) -> str | None:
        """Return the name of a tensor that does not match the run, or None."""
        expected = {_WEIGHTS + name: value.shape for name, value in self.adapter.state().items()}
        for i, parameter in enumerate(self.adapter.parameters()):
            expected[f"{_OPTIMISER}{i}.step"] = torch.Size()
            expected[f"{_OPTIMISER}{i}.exp_avg"] = parameter.shape
            expected[f"{_OPTIMISER}{i}.exp_avg_sq"] = parameter.shape
        for name in sorted(expected.keys() | tensors.keys()):
            found = tensors.get(name)
            if (
                found is None
                or found.dtype != torch.float32
                or found.shape != expected.get(name)
                or not torch.isfinite(found).all()
            ):
                return name
        return None

    def _moments(self, tensors: dict[str, Tensor]) -> dict[str, Any]:
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            number, key = name.split(".", 1)
            state.setdefault(int(number), {})[key] = value
        return {**self._optimiser.state_dict(), "state": state}


def _damaged(path: Path, reason: str) -> SnapError:
    return SnapError(f"{path}: not a checkpoint ({reason}); remove it and start again")


def _named(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _learning_rate(recipe: Recipe, step: int) -> float:
    """Return the rate: a linear rise in the first epoch, then a cosine decay to 0."""
    done = (step + 1) / recipe.steps
    if done <= 1:
        return recipe.learning_rate * done
    share = (done - 1) / max(recipe.epochs - 1, 1)
    return recipe.learning_rate * (1 + math.cos(math.pi * share)) / 2
