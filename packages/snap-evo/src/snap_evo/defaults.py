"""Default options of a search."""

SPACE = "nb201"
ALGORITHM = "de"
SCORER = "gcn:snap"
"""The default predictor of snap-gcn, whose best-scored cells are the better ones too."""
SEED = 0
MOST_SEED = 2**32 - 1
LONGEST = 1e9
"""Largest time limit in seconds; systems cannot wait much longer."""
BUDGET = 1000
"""With this budget differential evolution found the cell of NAS-Bench-201 with the best CIFAR-10
test accuracy from each of 20 seeds."""
SURROGATE = "gcn:snap"
"""Learns from measurements."""
MEASURING_ALGORITHM = "surrogate"
"""Proposes architectures to measure."""
