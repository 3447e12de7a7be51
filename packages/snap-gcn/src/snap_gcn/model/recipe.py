"""What a predictor is and how it is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

Schedule = Literal["full", "short"]
View = Literal["prune", "show_implicit"]
Readout = Literal["sum", "output"]


@dataclass(frozen=True)
class Recipe:
    """Network and training settings of one member; the defaults are the paper's (section 4).

    Attributes:
        layers: graph convolutions.
        width: channels of each.
        readout: what the score is read from: the output node, or the sum over all nodes as well.
        views: functions of `snap_graphs.views` through which the member sees every graph.
        identities: probability with which an edge of a training cell takes an identity operator,
            drawn anew each epoch; no label changes by it.
        target: `value` regresses the metric, `rank` its uniform quantile; both standardised.
        epochs: passes over the training cells.
        batch_size: cells a step.
        learning_rate: AdamW's, at first.
        weight_decay: AdamW's.
        step_size: epochs after which the learning rate is multiplied by `gamma`.
        gamma: see `step_size`.
        fraction: share of the training cells that is used; at least 1,000 are.
        training_space: whether the member scores the cells of the space it is trained on, and no
            others; see `snap_gcn.reliability.training_space`.
    """

    layers: Annotated[int, Meta(ge=1, le=1_000)] = 3
    width: Annotated[int, Meta(ge=1, le=100_000)] = 64
    readout: Annotated[tuple[Readout, ...], Meta(min_length=1)] = ("output",)
    views: tuple[View, ...] = ()
    identities: float = 0.0
    target: Literal["value", "rank"] = "value"
    epochs: int = 150
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    step_size: int = 40
    gamma: float = 0.1
    fraction: float = 1.0
    training_space: bool = False


_QUICK = Recipe(
    identities=0.2,
    target="rank",
    epochs=6,
    batch_size=512,
    learning_rate=3e-3,
    step_size=5,
    gamma=0.2,
    fraction=0.05,
)
_SHOWN = replace(_QUICK, readout=("output",), views=("prune", "show_implicit"))
_PRUNED = tuple(
    replace(_QUICK, readout=readout, views=("prune",))
    for readout in (("sum", "output"), ("output",))
)
_TRAINING_SPACE = Recipe(
    layers=5,
    readout=("sum", "output"),
    target="rank",
    epochs=10,
    batch_size=512,
    learning_rate=3e-3,
    step_size=3,
    gamma=0.3,
    training_space=True,
)


@dataclass(frozen=True)
class Preset:
    """What a predictor's score is made of.

    Attributes:
        members: the recipes of the networks; a score is the mean over those that are not for the
            training space.
        paths: what a `PathModel` counts for, which is added to that mean; there is none where it
            is 0.
        one_form: whether cells of other spaces that compute the same are scored in one form; see
            `snap_gcn.data.views.one_form`.
        prior: whether whole networks are scored by their size.
    """

    members: tuple[Recipe, ...]
    paths: float = 0.0
    one_form: bool = False
    prior: bool = False


PRESETS: Mapping[str, Preset] = {
    "paper": Preset((Recipe(),)),
    "snap": Preset(
        _PRUNED * 4 + (_SHOWN,) * 2 + (_TRAINING_SPACE,) * 2, paths=1.0, one_form=True, prior=True
    ),
}


BUNDLED = ("snap", "paper")
"""The predictors that come with the package, the default first."""


def members(preset: str, schedule: Schedule) -> tuple[Recipe, ...]:
    """Return the recipes of a preset's members.

    The short schedule, for further seeds and grids, is the full one over a fifth of the cells and
    with the epochs and the learning-rate step cut as 150 to 20.
    """
    full = PRESETS[preset].members
    return full if schedule == "full" else tuple(map(_short, full))


def _short(full: Recipe) -> Recipe:
    return replace(
        full,
        epochs=max(1, round(full.epochs * 20 / 150)),
        step_size=max(1, round(full.step_size * 20 / 150)),
        fraction=full.fraction / 5,
    )


class Group(NamedTuple):
    """Members that score the same graphs through the same views.

    Attributes:
        training_space: whether they score the cells of the training space, or those of all others.
        views: what they see the graphs through.
    """

    training_space: bool
    views: tuple[View, ...]

    @property
    def name(self) -> str:
        """What inputs and outputs of the exported network are called after."""
        views = "+".join(self.views) or "as_given"
        return f"training_space.{views}" if self.training_space else views


def grouped(recipes: Sequence[Recipe]) -> dict[Group, list[int]]:
    """Return the numbers of members by group, in order of their first member."""
    groups: dict[Group, list[int]] = {}
    for number, recipe in enumerate(recipes):
        groups.setdefault(Group(recipe.training_space, recipe.views), []).append(number)
    return groups
