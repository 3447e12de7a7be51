import pytest
from snap_catalog import GraphFacts, graph_facts, operators


@pytest.mark.parametrize("space", operators())
def test_what_a_graph_hides_is_named_in_operators_of_the_space(space: str) -> None:
    facts, names = graph_facts(space), {operator.name for operator in operators()[space]}
    assert facts.skeleton
    assert facts.identity in names | {GraphFacts().identity}
    assert facts.input_edges is None or facts.input_edges in names
    assert {facts.merge, facts.output_merge} <= {"sum", "concat"}


@pytest.mark.parametrize("space", operators())
def test_an_identity_operator_is_recognised_where_a_space_has_one(space: str) -> None:
    skips = {o.name for o in operators()[space] if o.name.startswith("skip")}
    assert skips <= {graph_facts(space).identity}


def test_a_space_missing_from_the_catalog_hides_nothing_that_is_known() -> None:
    assert graph_facts("mine") == GraphFacts()
    assert graph_facts("mine").input_edges is None


def test_nas_bench_101_has_projections_on_its_input_edges() -> None:
    assert graph_facts("nb101").input_edges == "conv1x1-bn-relu"
    assert graph_facts("nb101").output_merge == "concat"
