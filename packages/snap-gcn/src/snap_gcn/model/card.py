"""Write the model card, `README.md` of a model folder."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from snap_gcn.model.recipe import Recipe
from snap_gcn.model.schema import Config
from snap_gcn.ranks import shown


def card(config: Config) -> str:
    """Write a model's card from its configuration."""
    data, encoder = config.training, config.encoder
    lines = [
        f"# {config.name}",
        "",
        "Ranks neural architectures from their graphs of described operators, without training",
        "them. Scores order architectures of one search space; they are no accuracies.",
        "",
        f"- **Trained on** {data.n_train:,} architectures of {data.benchmark} "
        f"(`{data.metric}`, source SHA-256 `{data.source_sha256}`), role `train`; "
        f"{data.n_validate:,} more were held out.",
        f"- **Preset** `{config.preset}`, schedule `{config.schedule}`, "
        f"seed {config.seed}; a score is the mean over the members:",
        *_members(config.members, training_space=False),
    ]
    if config.paths:
        lines += [f"  - plus {config.paths} times a linear model of the paths through the cell"]
    lines += _members(config.members, training_space=True)
    if config.prior:
        lines += ["  - whole networks by their size instead: a formula, fitted to no accuracy"]
    if record := config.adapted:
        scorers = f", with scores of {', '.join(record.scorers)}" if record.scorers else ""
        lines += [
            f"- **Adapted** to {record.labels:,} measurements of `{record.metric}` "
            f"(`{record.direction}`) in {', '.join(record.spaces)}{scorers}: leave-one-out "
            f"Spearman {shown(record.left_out, record.labels)}; without them "
            f"{shown(record.before, record.labels)}."
        ]
    lines += [
        f"- **Operators** by `{encoder.model}` (SHA-256 `{encoder.sha256}`, "
        f"{encoder.length} descriptions).",
        f"- **Command** `{config.command}`",
        f"- **Held out**: Kendall's tau {data.tau:.4f} after the epochs kept, mean squared "
        f"error {data.loss:.3g} in training (means over members); {data.seconds:.0f} s.",
    ]
    if data.patience is not None:
        lines += [
            f"- **Early stopping** after {data.patience} epochs without a better tau; kept: "
            f"{', '.join(map(str, data.kept))}."
        ]
    lines += ["- **Licence** Apache-2.0."]
    if config.measured:
        lines += ["", "## Measured", "", "| benchmark | metric | role | n | Spearman | Kendall |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [
            f"| {m.benchmark} | `{m.metric}` | {m.role} | {m.n:,} | "
            f"{m.spearman:.4f} | {m.kendall_tau_b:.4f} |"
            for m in config.measured
        ]
    return "\n".join(lines) + "\n"


def _members(recipes: Sequence[Recipe], *, training_space: bool) -> list[str]:
    where, lines = "in the training space alone, " if training_space else "", []
    for recipe, count in Counter(r for r in recipes if r.training_space == training_space).items():
        settings = ", ".join(
            f"{name} {(' and '.join(value) or 'none') if isinstance(value, tuple) else value}"
            for name, value in asdict(recipe).items()
            if name != "training_space"
        )
        lines.append(f"  - {where}{count} of {settings}")
    return lines
