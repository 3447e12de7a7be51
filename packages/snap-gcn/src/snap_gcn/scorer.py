"""The predictor as a scorer of the search (entry point `snap.scorers`: `gcn`)."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog.readings import Understood

from snap_gcn.data.architectures import spaces_of
from snap_gcn.model.recipe import BUNDLED
from snap_gcn.predictor import Predictor
from snap_gcn.reliability.trust import Trust, assess


class GcnScorer:
    """Scores graphs with a bundled predictor, or with the one in a model folder."""

    def __init__(self, model: str = BUNDLED[0], device: str = "cpu") -> None:
        self._predictor = Predictor.load(model, device)
        self.name = self._predictor.name

    def score(self, graphs: pa.Table) -> npt.NDArray[np.float64]:
        """Score rows of the `graphs` contract; higher is better.

        Operators that the table's metadata describes are encoded once, where the model does not
        know them.

        Returns:
            (n,) one score a row.

        Raises:
            SnapError: an operator has no vector.
        """
        return self._predictor.score(graphs, source=spaces_of(graphs))

    def trust(self, graphs: pa.Table) -> Trust:
        """Return how far its ranking of rows of the `graphs` contract is to be trusted.

        Raises:
            SnapError: an operator has no vector.
        """
        scores = self._predictor.predict(graphs, source=spaces_of(graphs))
        return assess(self._predictor, graphs, scores)

    def readings(self, graphs: pa.Table) -> list[Understood]:
        """Return how the descriptions of the user's operators in a table were understood.

        Raises:
            SnapError: an operator has no vector.
        """
        return self._predictor.readings(graphs)
