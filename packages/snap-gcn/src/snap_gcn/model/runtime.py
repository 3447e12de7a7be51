"""Run a predictor's networks, `model.onnx`, with ONNX Runtime."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError
from snap_graphs import Graphs
from snap_graphs.arrays import Ints

from snap_gcn.data.arrays import Floats, Singles
from snap_gcn.data.batches import EMPTY_DENSE, EMPTY_EDGES, DenseBatch, EdgeBatch, batches
from snap_gcn.model.recipe import Group

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DENSE, SPARSE = DenseBatch._fields, EdgeBatch._fields
"""The inputs of a group."""
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_ERRORS_ONLY = 3


class Runtime:
    """The networks of a model; usable from several threads, and picklable."""

    def __init__(
        self,
        file: bytes,
        groups: Mapping[Group, Sequence[int]],
        source: str,
        device: str = "cpu",
    ) -> None:
        """Store an ONNX file from `snap_gcn.model.export.to_onnx`, to load it on first use."""
        self._file, self._groups, self._source, self._device = file, groups, source, device

    def __reduce__(self) -> tuple[Any, ...]:
        return Runtime, (self._file, self._groups, self._source, self._device)

    def score(self, group: Group, graphs: Graphs, op: Ints, vectors: Singles) -> Floats:
        """Return (m, graphs) scores by the m members of a group; higher is better.

        Graphs are given as those members see them, with (nodes,) rows of the (operators, d)
        `vectors`. Scores vary by at most 1e-5 of the largest one with the batch, the number of
        threads and the machine.

        Raises:
            SnapError: the file is damaged, does not fit the model, or gives no finite scores.
        """
        used, op = np.unique(op, return_inverse=True)
        scores = np.empty((len(self._groups[group]), len(graphs)))
        for rows, batch in batches(graphs, op):
            try:
                scores[:, rows] = self._run(group, batch, vectors[used])
            except Exception as error:  # ONNX Runtime's errors have no base class of their own
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise SnapError(
                    f"{self._source}: damaged, or not of this model ({reason}); get or train the "
                    "model again"
                ) from error
        if not np.isfinite(scores).all():
            raise SnapError(
                f"{self._source}: its scores are not finite numbers; get or train the model again"
            )
        return scores

    def _run(self, group: Group, batch: Any, vectors: Singles) -> Singles:
        dense = isinstance(batch, DenseBatch)
        given = {group: (batch, EMPTY_EDGES) if dense else (EMPTY_DENSE, batch)}
        feed: dict[str, npt.NDArray[Any]] = {"vectors": vectors}
        for each in self._groups:
            parts = [part for form in given.get(each, (EMPTY_DENSE, EMPTY_EDGES)) for part in form]
            names = (f"{each.name}.{part}" for part in (*DENSE, *SPARSE))
            feed |= zip(names, parts, strict=True)
        output = f"{group.name}.{'dense' if dense else 'sparse'}"
        (scores,) = self._session.run([output], feed)
        return np.asarray(scores)

    @cached_property
    def _session(self) -> "InferenceSession":
        import onnxruntime

        onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
        options = onnxruntime.SessionOptions()
        # Parts of a table are scored in parallel, with one core for each.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(
            self._file, options, providers=[_PROVIDERS[self._device]]
        )


def check_device(device: str) -> None:
    """Raise a `SnapError` unless ONNX Runtime supports a device on this machine."""
    import onnxruntime

    if _PROVIDERS[device] not in onnxruntime.get_available_providers():
        raise SnapError(
            f"--device {device}: ONNX Runtime finds no such device here; install onnxruntime-gpu "
            "in place of onnxruntime, or use --device cpu"
        )
