"""What proxies add to a predictor that is adapted to a few labels."""

from collections.abc import Iterator

import click
import numpy as np
import pyarrow.compute as pc
from snap_eval import spearman
from snap_gcn import Predictor
from snap_gcn.adaptation.adaptation import Inputs, examined, features_of, usable
from snap_gcn.adaptation.features import Features, operators_in

from tools import printed
from tools.measure.few_labels import adapted
from tools.measure.populations import BENCHMARKS
from tools.measure.proxies.scored import Floats, Scored, score_files, scored

_LABELS = (10, 20, 50)
"""Of 100 architectures that are scored, so that half of them remain to be ranked."""
_PROXIES = ("az_expressivity", "az_progressivity", "az_trainability", "nwot", "zico", "jacov")
"""Those with a rank correlation of .6 and more on NAS-Bench-201 that no cost of a graph equals."""


@click.command()
@click.option("--draws", default=20, show_default=True, type=click.IntRange(min=1))
def labels(draws: int) -> None:
    """Adapt the predictor to n labels, with and without proxies as features."""
    predictor = Predictor.bundled("snap")
    rows: list[list[str]] = []
    for space, metrics in BENCHMARKS.items():
        file = score_files(space)[0]
        if file.exists():
            found = scored(space, [file])
            for metric in metrics:
                rows += _rows(predictor, found, f"{space}, `{metric}`", metric, draws)
    click.echo(printed.table(["benchmark", "features", *map(str, (0, *_LABELS))], rows))


def _rows(
    predictor: Predictor, found: Scored, title: str, metric: str, draws: int
) -> Iterator[list[str]]:
    kept = found.graphs.filter(pc.is_valid(found.graphs[metric]))
    measured = kept[metric].to_numpy()
    there = np.isin(found.graphs["arch_id"].to_numpy(), kept["arch_id"].to_numpy())
    scores = np.stack([found.scores[name][there] for name in _PROXIES], axis=1)
    seen = examined(predictor, kept)
    for names, given in (((), scores[:, :0]), (_PROXIES, scores)):
        inputs = Inputs(operators_in(kept), usable(seen.keys, kept), names)
        features = features_of(seen, kept, inputs, given)
        by_count = [_rhos(features, measured, n, draws) for n in _LABELS]
        zero = printed.short(spearman(features["score"][:, 0], measured))
        with_proxies = "and proxies" if names else "graph"
        yield [title, with_proxies, zero, *(printed.spread(rhos) for rhos in by_count)]


def _rhos(features: Features, measured: Floats, count: int, draws: int) -> list[float]:
    """Return by draw Spearman's rho on the architectures without a label."""
    found = []
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(measured))
        rest = order[max(_LABELS) :]
        found.append(spearman(adapted(features, measured, order[:count], rest), measured[rest]))
    return found
