"""What a search does unless told otherwise."""

SPACE = "nb201"
ALGORITHM = "de"
SCORER = "gcn:snap"
"""The default predictor of snap-gcn, whose favourites are the better ones too."""
SEED = 0
MOST_SEED = 2**32 - 1
LONGEST = 1e9
"""Seconds that a limit of time may be, which systems cannot wait much beyond."""
BUDGET = 1000
"""On NAS-Bench-201's CIFAR-10 test accuracy, differential evolution came to the best cell within
this for each of 20 seeds."""
SURROGATE = "gcn:snap"
"""What learns from measurements."""
MEASURING_ALGORITHM = "surrogate"
"""What proposes architectures to measure."""
