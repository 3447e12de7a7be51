"""NAS-Bench-Suite-Zero's files of TransNAS-Bench-101's two spaces."""

from collections.abc import Mapping

from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.suite_zero import SuiteZero, digits
from snap_graphs.spaces.transnas import TransNasMacro, TransNasMicro

FINAL_METRICS: Mapping[str, tuple[str, int]] = {
    "class_scene": ("top1", 25),
    "class_object": ("top1", 25),
    "room_layout": ("neg_loss", 25),
    "jigsaw": ("top1", 10),
    "segmentsemantic": ("acc", 30),
    "normal": ("ssim", 30),
    "autoencoder": ("ssim", 30),
}
"""Name of the accuracy in NASLib and number of epochs, by task."""


class _SuiteZeroTransNas(SuiteZero):
    def accuracy(self, dataset: str) -> str:
        """Name the validation metric after the last epoch."""
        if dataset not in FINAL_METRICS:
            tasks = ", ".join(FINAL_METRICS)
            raise SnapError(
                f"{dataset!r:.40} is not a task of TransNAS-Bench-101; the tasks are {tasks}"
            )
        name, epochs = FINAL_METRICS[dataset]
        return f"{dataset}/valid/{name}@{epochs}"


class SuiteZeroTransNasMicro(_SuiteZeroTransNas):
    """The digits are the benchmark's own, in the order of its string."""

    title = (
        "NAS-Bench-Suite-Zero's zc_transbench101_micro.json or "
        "benchmark--transbench101_micro--<task>--<n>.json"
    )
    benchmark = "transnas-micro"
    label = "transbench101_micro"
    space = TransNasMicro()

    def cell(self, text: str) -> Cell:
        """Compose the six digits."""
        options, chosen = TransNasMicro.options, digits(text)
        if len(chosen) != len(options) or not all(d < options[0] for d in chosen):
            raise SnapError(f"{text!r:.60} are not six digits of 0 to {options[0] - 1}")
        return TransNasMicro().compose(chosen)


class SuiteZeroTransNasMacro(_SuiteZeroTransNas):
    """The digits are the benchmark's own, filled up with zeros to six."""

    title = (
        "NAS-Bench-Suite-Zero's zc_transbench101_macro.json or "
        "benchmark--transbench101_macro--<task>--<n>.json"
    )
    benchmark = "transnas-macro"
    label = "transbench101_macro"
    space = TransNasMacro()

    def cell(self, text: str) -> Cell:
        """Chain the modules of the digits before the zeros."""
        modules = "".join(map(str, digits(text))).rstrip("0")
        return self.space.parse(f"64-{modules}-basic")
