"""NAS-Bench-Suite-Zero's shards of TransNAS-Bench-101's cell-level space."""

from collections.abc import Mapping, Sequence

from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.suite_zero import SuiteZero
from snap_graphs.spaces.transnas import TransNasMicro

FINAL_METRICS: Mapping[str, tuple[str, int]] = {
    "class_scene": ("top1", 25),
    "class_object": ("top1", 25),
    "room_layout": ("neg_loss", 25),
    "jigsaw": ("top1", 10),
    "segmentsemantic": ("acc", 30),
    "normal": ("ssim", 30),
    "autoencoder": ("ssim", 30),
}
"""By task: what NASLib calls its accuracy, and the epochs that the benchmark trained."""


class SuiteZeroTransNasMicro(SuiteZero):
    """The digits are the benchmark's own, in the order of its string."""

    title = "NAS-Bench-Suite-Zero's benchmark--transbench101_micro--<task>--<n>.json"
    benchmark = "transnas-micro"
    shards = "transbench101_micro"
    space = TransNasMicro()

    def cell(self, digits: Sequence[int]) -> Cell:
        """Compose the six digits."""
        options = TransNasMicro.options
        if len(digits) != len(options) or not all(0 <= d < options[0] for d in digits):
            raise SnapError(f"{digits} are not six digits of 0 to {options[0] - 1}")
        return TransNasMicro().compose(digits)

    def accuracy(self, dataset: str) -> str:
        """Name the validation metric after the last epoch."""
        if dataset not in FINAL_METRICS:
            tasks = ", ".join(FINAL_METRICS)
            raise SnapError(f"{dataset!r} is no task of TransNAS-Bench-101; they are {tasks}")
        name, epochs = FINAL_METRICS[dataset]
        return f"{dataset}/valid/{name}@{epochs}"
