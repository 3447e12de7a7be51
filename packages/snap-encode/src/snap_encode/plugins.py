"""The encoders that other packages find in the entry points `snap.encoders`, by model name."""

from functools import partial

from snap_encode.encoder import SentenceEncoder

minilm = partial(SentenceEncoder, "all-MiniLM-L6-v2")
mpnet = partial(SentenceEncoder, "all-mpnet-base-v2")
minilm_64 = partial(SentenceEncoder, "MiniLM-64")
snap_minilm = partial(SentenceEncoder, "snap-minilm")
