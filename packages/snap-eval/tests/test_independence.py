from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_eval import Scorer, as_measured, as_scorer
from snap_eval.independence import clustered, independence

Make = Callable[..., pa.Table]
ACCURACY = "cifar10/test/accuracy@200"
NAMES = [f"{i:03}" for i in range(200)]


@pytest.fixture
def scorers(make_scores: Make) -> list[Scorer]:
    """Two families: `a`, a near copy of it and its reverse, and `b` with a near copy."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200))
    noise = 0.1 * rng.normal(size=200)
    scores = {"a": a, "b": b, "reverse of a": -a, "copy of b": b + noise, "copy of a": a + noise}
    return [
        as_scorer(make_scores(NAMES, values, metadata={"snap.scorer": name}))
        for name, values in scores.items()
    ]


def _rho(table: pa.Table) -> dict[tuple[str, str], float]:
    return {(r["scorer"], r["other"]): r["spearman"] for r in table.to_pylist()}


def test_all_pairs_have_scipys_spearman_and_alike_scorers_stand_together(
    make_graphs: Make, scorers: list[Scorer]
) -> None:
    graphs = as_measured(make_graphs(NAMES, {ACCURACY: range(200)}))
    table = independence(scorers, [graphs])
    stamped = table.replace_schema_metadata({"snap.cells_seed": "0"})
    validate(stamped, "independence")
    found = _rho(table)
    for one in scorers:
        for other in scorers:
            pair = one.scores["score"].to_numpy(), other.scores["score"].to_numpy()
            rho = stats.spearmanr(*pair).statistic
            assert found[one.name, other.name] == pytest.approx(rho, abs=1e-12)
    places = {row["scorer"]: row["place"] for row in table.to_pylist()}
    order = sorted(places, key=lambda name: places[name])
    assert sorted(places.values()) == list(range(5))
    assert {*order[:2]} == {"b", "copy of b"} or {*order[3:]} == {"b", "copy of b"}


def test_so_many_cells_are_drawn_equal_seeds_drawing_the_same(
    make_graphs: Make, scorers: list[Scorer]
) -> None:
    graphs = [as_measured(make_graphs(NAMES, {ACCURACY: range(200)}))]
    one, again, other = (independence(scorers, graphs, cells=50, seed=s) for s in (1, 1, 2))
    assert set(one["n"].to_pylist()) == {50}
    assert one.equals(again)
    assert _rho(one) != _rho(other)


def test_only_cells_that_all_score_are_drawn(
    make_graphs: Make, make_scores: Make, scorers: list[Scorer]
) -> None:
    graphs = [as_measured(make_graphs(NAMES, {ACCURACY: range(200)}))]
    few = as_scorer(make_scores(NAMES[:30], range(30), metadata={"snap.scorer": "few"}))
    assert set(independence([*scorers, few], graphs)["n"].to_pylist()) == {30}
    rest = as_scorer(make_scores(NAMES[30:], range(170), metadata={"snap.scorer": "rest"}))
    with pytest.raises(SnapError, match=r"no cell has a score by all of .*; leave one out"):
        independence([few, rest], graphs)


def test_a_constant_scorer_has_nulls(make_graphs: Make, make_scores: Make) -> None:
    graphs = [as_measured(make_graphs(NAMES, {ACCURACY: range(200)}))]
    kinds = {"flat": [1.0] * 200, "rising": list(range(200))}
    scorers = [
        as_scorer(make_scores(NAMES, values, metadata={"snap.scorer": name}))
        for name, values in kinds.items()
    ]
    assert _rho(independence(scorers, graphs))["flat", "rising"] is None


def test_one_scorer_alone_is_refused(make_graphs: Make, scorers: list[Scorer]) -> None:
    graphs = [as_measured(make_graphs(NAMES, {ACCURACY: range(200)}))]
    with pytest.raises(SnapError, match="fewer than two scorers"):
        independence(scorers[:1], graphs)


def test_the_order_puts_blocks_together() -> None:
    rho = np.eye(4)
    rho[0, 2] = rho[2, 0] = 0.9
    rho[1, 3] = rho[3, 1] = -0.9
    order = clustered(rho).tolist()
    assert {*order[:2]} in ({0, 2}, {1, 3})
