"""The model card."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def card(config: Mapping[str, Any]) -> str:
    """Write a model's card from its configuration."""
    data, encoder = config["training"], config["encoder"]
    lines = [
        f"# {config['name']}",
        "",
        "Ranks neural architectures from their graphs of described operators, without training",
        "them. Scores order architectures of one search space; they are no accuracies.",
        "",
        f"- **Trained on** {data['n_train']:,} architectures of {data['benchmark']} "
        f"(`{data['metric']}`, source SHA-256 `{data['source_sha256']}`), role `train`; "
        f"{data['n_validate']:,} more were held out.",
        f"- **Preset** `{config['preset']}`, schedule `{config['schedule']}`, "
        f"seed {config['seed']}; a score is the mean over {len(config['members'])} member(s):",
        *_members(config["members"]),
        *_paths(config),
        f"- **Operators** by `{encoder['model']}` (SHA-256 `{encoder['sha256']}`, "
        f"{encoder['length']} descriptions).",
        f"- **Command** `{config['command']}`",
        f"- **Held out**: Kendall's tau {data['tau']:.4f} after the epochs kept, mean squared "
        f"error {data['loss']:.3g} in training (means over members); {data['seconds']:.0f} s.",
        *_early_stopping(data),
        "- **Licence** Apache-2.0.",
    ]
    if config.get("measured"):
        lines += ["", "## Measured", "", "| benchmark | metric | role | n | Spearman | Kendall |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [
            f"| {m['benchmark']} | `{m['metric']}` | {m['role']} | {m['n']:,} | "
            f"{m['spearman']:.4f} | {m['kendall_tau_b']:.4f} |"
            for m in config["measured"]
        ]
    return "\n".join(lines) + "\n"


def _members(recipes: Sequence[Mapping[str, Any]]) -> list[str]:
    counted = Counter(_settings(recipe) for recipe in recipes)
    return [f"  - {count} of {settings}" for settings, count in counted.items()]


def _paths(config: Mapping[str, Any]) -> list[str]:
    if not config.get("paths"):
        return []
    return [f"  - plus {config['paths']} times a linear model of the paths through the cell"]


def _early_stopping(data: Mapping[str, Any]) -> list[str]:
    if data.get("patience") is None:
        return []
    kept = ", ".join(map(str, data["kept"]))
    return [
        f"- **Early stopping** after {data['patience']} epochs without a better tau; kept: {kept}."
    ]


def _settings(recipe: Mapping[str, Any]) -> str:
    told = {
        k: " and ".join(v) or "none" if isinstance(v, list | tuple) else v
        for k, v in recipe.items()
    }
    return ", ".join(f"{name} {value}" for name, value in told.items())
