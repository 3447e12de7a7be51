"""The settings of a predictor's networks and of their training."""

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
        readout: what the head reads: the output node, the sum over all nodes, or both.
        views: functions of `snap_graphs.views` that are applied to every graph.
        identities: probability of an identity operator on each edge of a training cell, drawn
            again each epoch; it changes no label.
        target: `value` regresses the metric, `rank` its uniform quantile; both standardised.
        epochs: passes over the training cells.
        batch_size: cells per step.
        learning_rate: initial learning rate of AdamW.
        weight_decay: weight decay of AdamW.
        step_size: epochs after which the learning rate is multiplied by `gamma`.
        gamma: see `step_size`.
        fraction: share of the training cells that is used, but at least 1,000 cells.
        training_space: whether the member scores only cells of the space it is trained on; see
            `snap_gcn.reliability.training_space`.
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
    """The components of a predictor's score.

    Attributes:
        members: the recipes of the networks; a score is the mean over the members that are not for
            the training space.
        paths: weight of the `PathModel`'s score, which is added to that mean; 0 for no model.
        one_form: whether cells of other spaces are brought into the form that equal cells share;
            see `snap_gcn.data.views.one_form`.
        prior: whether whole networks are scored by their size; see `snap_gcn.model.prior`.
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
"""The predictors in the package, the default first."""


def members(preset: str, schedule: Schedule) -> tuple[Recipe, ...]:
    """Return the recipes of a preset's members.

    The short schedule, for further seeds and grids, uses a fifth of the cells, and 20/150 of the
    epochs and of the learning-rate step.
    """
    full = PRESETS[preset].members
    if schedule == "full":
        return full
    return tuple(
        replace(
            recipe,
            epochs=max(1, round(recipe.epochs * 20 / 150)),
            step_size=max(1, round(recipe.step_size * 20 / 150)),
            fraction=recipe.fraction / 5,
        )
        for recipe in full
    )


class Group(NamedTuple):
    """Members that score the same graphs through the same views."""

    training_space: bool  # whether they score the cells of the training space, or all others
    views: tuple[View, ...]  # the views that are applied to the graphs

    @property
    def name(self) -> str:
        """The prefix of the group's inputs and outputs in the exported network."""
        views = "+".join(self.views) or "as_given"
        return f"training_space.{views}" if self.training_space else views


def grouped(recipes: Sequence[Recipe]) -> dict[Group, list[int]]:
    """Return the numbers of members by group, in order of their first member."""
    groups: dict[Group, list[int]] = {}
    for number, recipe in enumerate(recipes):
        groups.setdefault(Group(recipe.training_space, recipe.views), []).append(number)
    return groups
