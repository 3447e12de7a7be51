"""Factories of the encoders in the entry points `snap.encoders`, by model name."""

from functools import partial

from snap_encode.operator_encoder import OperatorEncoder

minilm = partial(OperatorEncoder, "all-MiniLM-L6-v2")
mpnet = partial(OperatorEncoder, "all-mpnet-base-v2")
minilm_64 = partial(OperatorEncoder, "MiniLM-64")
snap_minilm = partial(OperatorEncoder, "snap-minilm")
