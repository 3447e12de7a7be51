"""The predictor as a scorer for `snap-evo` (entry point `snap.scorers`: `gcn`)."""

import pyarrow as pa
from snap_catalog.readings import Understood

from snap_gcn.data.architectures import spaces_of
from snap_gcn.data.arrays import Floats
from snap_gcn.model.recipe import BUNDLED
from snap_gcn.predictor import Predictor
from snap_gcn.reliability.trust import Trust, assess


class GcnScorer:
    """Scores graphs with a bundled predictor, or with the one in a model folder.

    Operators that a table's metadata describes are encoded once if the model does not know them.
    All methods raise `SnapError` if an operator has no vector.
    """

    def __init__(self, model: str = BUNDLED[0], device: str = "cpu") -> None:
        self._predictor = Predictor.load(model, device)
        self.name = self._predictor.name

    def score(self, graphs: pa.Table) -> Floats:
        """Return (n,) scores of n rows of the `graphs` contract; higher is better."""
        return self._predictor.score(graphs, source=spaces_of(graphs))

    def trust(self, graphs: pa.Table) -> Trust:
        """Judge how far to trust the ranking of rows of the `graphs` contract."""
        scores = self._predictor.predict(graphs, source=spaces_of(graphs))
        return assess(self._predictor, graphs, scores)

    def readings(self, graphs: pa.Table) -> list[Understood]:
        """Return how the descriptions of the user's operators in a table were read."""
        return self._predictor.readings(graphs)
