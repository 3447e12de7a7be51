from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_eval import Scorer, Target, as_measured, as_scorer, compare, targets
from snap_eval.comparison import Difference

Make = Callable[..., pa.Table]
ACCURACY = "cifar10/test/accuracy@200"
LATENCY = "hw/phone/latency_ms"
N = 400
NAMES = [f"{i:03}" for i in range(N)]
Y = np.random.default_rng(0).normal(size=N)


@pytest.fixture
def target(make_graphs: Make) -> Target:
    return targets([as_measured(make_graphs(NAMES, {ACCURACY: Y}))])[0]


@pytest.fixture
def model(make_scores: Make) -> Callable[..., list[Scorer]]:
    """Make a scorer whose scores are the accuracies with so much noise, one model a seed."""

    def make(name: str, noise: float, seeds: int = 1) -> list[Scorer]:
        rng = np.random.default_rng([len(name), seeds])
        told = [{"snap.scorer": name, "snap.seed": str(seed)} for seed in range(seeds)]
        scores = [Y + noise * rng.normal(size=N) for _ in told]
        return [
            as_scorer(make_scores(NAMES, x, metadata=t)) for x, t in zip(scores, told, strict=True)
        ]

    return make


Model = Callable[..., list[Scorer]]


def _only(differences: Sequence[Difference]) -> Difference:
    (difference,) = differences
    return difference


def test_a_scorer_differs_in_nothing_from_itself(target: Target, model: Model) -> None:
    one = model("one", 1)
    for difference in compare(one, one, target, bootstrap=100).differences:
        assert difference.better == "no difference"
        if not np.isnan(difference.first):
            assert (difference.difference, difference.low, difference.high) == (0, 0, 0)


def test_a_clearly_better_scorer_is_named_in_either_place(target: Target, model: Model) -> None:
    good, bad = model("good", 0.3), model("bad", 3)
    for pair in ((good, bad), (bad, good)):
        for statistic in ("spearman", "kendall_tau_b", "precision@100"):
            found = _only(compare(*pair, target, statistics=[statistic]).differences)
            assert found.better == "good", statistic
            assert found.low <= found.difference <= found.high


def test_less_is_better_of_a_latency(make_graphs: Make, make_scores: Make) -> None:
    measured = as_measured(make_graphs(NAMES, {LATENCY: Y}))
    (target,) = targets([measured], [LATENCY])
    fast = [as_scorer(make_scores(NAMES, -Y, metadata={"snap.scorer": "fast"}))]
    slow = [as_scorer(make_scores(NAMES, Y, metadata={"snap.scorer": "slow"}))]
    for statistic in ("spearman", "best@10", "regret@10"):
        assert _only(compare(fast, slow, target, statistics=[statistic]).differences).better == (
            "fast"
        )
    best = _only(compare(fast, slow, target, statistics=["best@1"]).differences)
    assert (best.first, best.second) == (Y.min(), Y.max())


def test_scorers_that_hardly_differ_are_told_apart_by_pairing(
    target: Target, make_scores: Make
) -> None:
    # Their errors are nearly the same, so that they scatter together.
    rng = np.random.default_rng(3)
    noise = rng.normal(size=N)
    scores = {"one": Y + noise, "other": Y + 1.1 * noise}
    one, other = (
        [as_scorer(make_scores(NAMES, x, metadata={"snap.scorer": name}))]
        for name, x in scores.items()
    )
    found = _only(compare(one, other, target, statistics=["spearman"]).differences)
    assert found.better == "one"
    assert found.high - found.low < 0.02


def test_two_draws_of_one_recipe_are_no_different(target: Target, model: Model) -> None:
    found = compare(
        model("one", 1), model("another", 1), target, statistics=["spearman", "kendall_tau_b"]
    )
    assert [difference.better for difference in found.differences] == ["no difference"] * 2


def test_seeds_are_resampled_too(target: Target, model: Model) -> None:
    few = compare(model("a", 1, 5), model("bb", 1, 5), target, statistics=["spearman"])
    assert few.seeds == (5, 5)
    assert few.n == N


def test_only_cells_that_both_score_count(target: Target, make_scores: Make) -> None:
    first = [as_scorer(make_scores(NAMES[:300], Y[:300], metadata={"snap.scorer": "first"}))]
    second = [as_scorer(make_scores(NAMES[200:], Y[200:], metadata={"snap.scorer": "second"}))]
    assert compare(first, second, target, bootstrap=0).n == 100
    apart = [as_scorer(make_scores(NAMES[300:], Y[300:], metadata={"snap.scorer": "x"}))]
    with pytest.raises(SnapError, match="in common; compare scorers of the same cells"):
        compare(first, apart, target)


def test_without_resamples_nothing_is_claimed(target: Target, model: Model) -> None:
    found = _only(
        compare(
            model("good", 0.1), model("bad", 5), target, statistics=["spearman"], bootstrap=0
        ).differences
    )
    assert found.better == "unknown"
    assert np.isnan(found.low)


def test_a_scorer_without_a_measured_cell_is_refused(
    target: Target, model: Model, make_scores: Make
) -> None:
    with pytest.raises(SnapError, match="has no score of a cell"):
        compare(model("one", 1), [as_scorer(make_scores(["z"], [1.0]))], target)


def test_models_of_several_scorers_are_not_taken_for_seeds_of_one(
    target: Target, model: Model
) -> None:
    both = [*model("one", 1), *model("other", 2)]
    with pytest.raises(SnapError, match=r"^several scorers \(one, other\) where one is to be comp"):
        compare(model("one", 1), both, target)
