"""NAS-Bench-Suite-Zero's files of NAS-Bench-101 and NAS-Bench-301."""

import math

from snap_catalog import SnapError

from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.formats.nasbench_runs import adjacency_digits, cell_of
from snap_graphs.formats.suite_zero import SuiteZero, digits
from snap_graphs.spaces.darts import Darts
from snap_graphs.spaces.nb101 import NasBench101

_OPERATORS = (INPUT, OUTPUT, "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")
"""NASLib's numbering."""


class SuiteZeroNasBench101(SuiteZero):
    """Adjacency matrix, row by row, and operators in NASLib's digits, as one tuple."""

    title = "NAS-Bench-Suite-Zero's zc_nasbench101.json or benchmark--nasbench101--*.json"
    benchmark = "nb101"
    label = "nasbench101"
    space = NasBench101()

    def cell(self, text: str) -> Cell:
        """Build the cell of n x n digits of a matrix and n of operators."""
        flat = digits(text)
        size = (math.isqrt(1 + 4 * len(flat)) - 1) // 2
        matrix, operators = flat[: size**2], flat[size**2 :]
        if size < 2 or len(operators) != size or not all(d < len(_OPERATORS) for d in operators):
            raise SnapError(
                f"{text!r:.60} is no matrix of n x n digits with n operators from 0 to 4"
            )
        rows = [matrix[place : place + size] for place in range(0, len(matrix), size)]
        return cell_of(adjacency_digits(rows), ",".join(_OPERATORS[d] for d in operators))

    def accuracy(self, dataset: str) -> str:
        """Return the validation accuracy after the last epoch."""
        return f"{dataset.lower()}/valid/accuracy@108"


class SuiteZeroNasBench301(SuiteZero):
    """Genotypes in NASLib's digits; the accuracy is what the benchmark's surrogate predicts."""

    title = "NAS-Bench-Suite-Zero's zc_nasbench301.json or benchmark--nasbench301--*.json"
    benchmark = "nb301"
    label = "nasbench301"
    space = Darts()

    def cell(self, text: str) -> Cell:
        """Build the cells of two tuples of pairs, input and operator."""
        return self.space.parse(text)

    def accuracy(self, dataset: str) -> str:
        """Return the accuracy that is predicted."""
        return f"{dataset.lower()}/valid/accuracy_of_surrogate"
