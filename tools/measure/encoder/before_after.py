"""A picture of how much rewording costs, with and without reading the descriptions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

import click
from snap_catalog import operators
from snap_catalog.parquet import replacing
from snap_encode import SentenceEncoder
from snap_encode.operator_encoder import OperatorEncoder
from snap_gcn import Predictor

from tools.measure.encoder.predictors import METRICS, cells
from tools.measure.encoder.robustness import Trial
from tools.measure.encoder.wording import wordings
from tools.pipeline import ENCODERS, ROOT, prepare_develop

_OUT = ROOT / "docs" / "robustness.svg"
_COLOURS = {"words encoded": "#b9b9b9", "read first": "#1f77b4"}


@click.command(name="picture")
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--out", default=_OUT, show_default=True, type=click.Path(path_type=Path))
@click.option("--draws", default=10, show_default=True, type=click.IntRange(min=2))
def draw_before_after(work: Path, out: Path, draws: int) -> None:
    """Draw what every kind of honest wording costs the bundled `snap`, in both search spaces."""
    prepare_develop(work)
    found = {space: _changes(work, space, draws) for space in METRICS}
    _draw(found, out)


def _changes(work: Path, space: str, draws: int) -> dict[str, dict[str, list[float]]]:
    """Return the changes of Spearman's correlation, by kind of wording and by way to encode."""
    texts = {operator.name: operator.descriptions["short"] for operator in operators()[space]}
    groups = {"snap": [Predictor.bundled("snap")]}
    ways: dict[str, SentenceEncoder | OperatorEncoder] = {
        "words encoded": SentenceEncoder(ENCODERS["snap"]),
        "read first": OperatorEncoder(ENCODERS["snap"]),
    }
    trials = {
        way: Trial(encoder, space, texts, cells(work, space), groups)
        for way, encoder in ways.items()
    }
    return {
        kind: {way: trial.effects(variants)[0] for way, trial in trials.items()}
        for kind, variants in wordings(texts, draws).items()
        if not kind.startswith("wrong")
    }


def _draw(found: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]], out: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(found), sharey=True, figsize=(9, 4.2))
    for panel, (space, kinds) in zip(panels, found.items(), strict=True):
        for shift, (way, colour) in zip((0.2, -0.2), _COLOURS.items(), strict=True):
            rows = [len(kinds) - row - 1 + shift for row in range(len(kinds))]
            changes = [ways[way] for ways in kinds.values()]
            panel.barh(
                rows,
                [mean(values) for values in changes],
                xerr=[stdev(values) for values in changes],
                height=0.38,
                color=colour,
                error_kw={"elinewidth": 0.8, "ecolor": "#555555"},
                label=way,
            )
        panel.set_yticks(range(len(kinds)), reversed(list(kinds)))
        panel.axvline(0, color="black", linewidth=0.8)
        panel.set_title(f"{space}: {METRICS[space]}", fontsize=9)
        panel.set_xlabel("change of Spearman's correlation")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(loc="lower left", frameon=False, fontsize=9)
    figure.tight_layout()
    with replacing(out) as temporary:
        figure.savefig(temporary, format=out.suffix[1:], dpi=110, metadata={"Date": None})
    plt.close(figure)
