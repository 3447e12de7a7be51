"""The model card of a tuned encoder."""

from collections.abc import Mapping
from typing import Any

_LOSSES = {
    "contrastive": "supervised contrastive loss with degrees of similarity; it fixes how far "
    "cosines lie apart, not where, so that those of unrelated texts need not be 0",
    "cosine": "squared difference of cosine and intended similarity",
    "triplet": "triplet loss, Euclidean, margin 1",
}
_FIGURES = {
    "accuracy": "right operator nearest, of all held out",
    "reciprocal_rank": "mean reciprocal rank of the right operator",
    "silhouette": "silhouette of the categories (cosine)",
    "same_kind": "same kind with another kernel nearer than another kind with the same kernel",
    "told_apart": "same kernel, re-worded, nearer than another kernel in those words",
    "told_apart_verbatim": "same kernel, re-worded, nearer than another kernel word for word",
}


def card(name: str, record: Mapping[str, Any]) -> str:
    """Return the text of the model card of an encoder.

    `record` has `settings` and `history` of a `Run`, the number of operators of each split as
    `terms`, and the `Figures` of each measured split as `figures`.
    """
    settings, terms = record["settings"], record["terms"]
    lines = [
        f"# {name}",
        "",
        "A sentence encoder for descriptions of neural network operators: texts about one operator",
        "get like vectors, texts about operators of one category related ones. It is",
        f"`{settings['base']}` with low-rank updates (LoRA).",
        "",
        f"- **Base** `{settings['base']}`, weights of SHA-256 `{settings['base_sha256']}`; its",
        "  licence is Apache-2.0.",
        "- **Data** the corpus of `snap-catalog` and the documentation of torch",
        f"  (SHA-256 `{settings['corpus_sha256']}`): all descriptions of",
        f"  {terms['train']} operators. No architecture and no accuracy was used.",
        f"- **Split** by operator: {terms['validate']} further ones were used to choose settings,",
        f"  {terms['test']} for reporting only.",
        f"- **Loss** `{settings['loss']}`: {_LOSSES[settings['loss']]}.",
        "- **Intended similarity** 1 for one operator in settings (kernel size, stride, dilation,",
        "  groups) that do not contradict each other, 0.7 for one category, 0 elsewhere.",
        f"- **Settings** {_settings(settings)}.",
        f"- **Command** `snap-encode tune --out {name} --loss {settings['loss']} "
        f"--seed {settings['seed']}`",
        "- **Licence** Apache-2.0.",
        "- **Limits** English only in training; kernels above 9 were not seen; texts that differ",
        "  in a number alone stay nearer to each other than to most re-wordings; one seed, see the",
        "  documentation of `snap-encode` for the spread over seeds.",
        "",
        "## Measured",
        "",
        "On operators that training never saw:",
        "",
        "| figure | " + " | ".join(record["figures"]) + " |",
        "|---|" + "---|" * len(record["figures"]),
        *(
            f"| {about} | "
            + " | ".join(f"{figures[key]:.3f}" for figures in record["figures"].values())
            + " |"
            for key, about in _FIGURES.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _settings(settings: Mapping[str, Any]) -> str:
    shown = {
        k: v for k, v in settings.items() if k != "loss" and not k.startswith(("base", "corp"))
    }
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items())
