"""NASLib's pickle of NAS-Bench-101: by module hash, a cell and its runs by training budget."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snap_catalog import SnapError

from snap_graphs.formats.base import MALFORMED, Chunk, Format, Request, fault, first_bytes
from snap_graphs.formats.nasbench_runs import Run, Runs, adjacency_digits
from snap_graphs.formats.pickle_types import NUMPY
from snap_graphs.formats.pickles import load_pickle

_FINAL = (
    "final_training_time",
    "final_train_accuracy",
    "final_validation_accuracy",
    "final_test_accuracy",
)
"""Keys of a run in the order of `Run.final`."""
_START = b"module_adjacency"


class NasLibNasBench101(Format):
    """A pickled dictionary; nothing of it is executed."""

    title = "NASLib's pickled dictionary of module hashes"
    benchmark = "nb101"

    def recognises(self, path: Path) -> bool:
        """Return whether the file begins as such a pickle does."""
        return _START in first_bytes(path, 256)

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the cells in the order of the file."""
        entries = load_pickle(path, NUMPY)
        if type(entries) is not dict:
            raise SnapError(f"{path}: expected a dictionary of module hashes")
        runs = Runs()
        for key, entry in entries.items():
            try:
                for run in list(_runs(key, entry)):  # add all runs of an entry or none
                    if request.wants(run.epochs):
                        runs.add(run)
            except (SnapError, *MALFORMED) as error:
                request.bad(path, key, fault(error))
        request.advance(path.stat().st_size)
        return runs.chunks(path, request)


def _runs(key: str, entry: Any) -> Iterator[Run]:
    fixed, budgets = entry
    adjacency = adjacency_digits(fixed["module_adjacency"])
    operators = ",".join(fixed["module_operations"])
    for epochs, repeats in budgets.items():
        for run in repeats:
            final = tuple(float(run[name]) for name in _FINAL)
            parameters = fixed["trainable_parameters"]
            yield Run(key, epochs, adjacency, operators, parameters, final)
