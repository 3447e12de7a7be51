"""Random cells of a space, and what a scorer reports of them."""

import pyarrow as pa
from snap_graphs import Space, graph_table, space
from snap_graphs.space_tables import one_per_class

from snap_evo.scorers import DescriptionReader, Scorer, Trust, TrustReporter, plugin_errors, read_by

_DRAWN = 1000
_SEED = 0


def draw(search_space: Space) -> pa.Table:
    """Draw 1,000 cells of a space with replacement, the same at every call, as `graphs` rows."""
    return graph_table(search_space, search_space.sample(_DRAWN, seed=_SEED))


def distinct_cells(search_space: Space) -> pa.Table:
    """Return the different cells among those of `draw`, one per `cell_hash`."""
    return one_per_class(draw(search_space))


def ask_trust(scorer: Scorer, search_space: str | Space) -> Trust | None:
    """Ask a scorer how far to trust its ranking of a space; None if it does not report that."""
    if not isinstance(scorer, TrustReporter):
        return None
    with plugin_errors(scorer):
        return scorer.trust(draw(space(search_space)))


def readings(scorer: Scorer, search_space: Space) -> list[str]:
    """Return, one line each, how a scorer understood the descriptions of a space's operators."""
    return read_by(scorer, draw(search_space)) if isinstance(scorer, DescriptionReader) else []
