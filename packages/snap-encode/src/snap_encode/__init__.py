"""Vectors for neural network operators from what is said of them."""

from snap_encode.encoder import SentenceEncoder
from snap_encode.known import Match, nearest
from snap_encode.models import DEFAULT_MODEL
from snap_encode.tables import catalog_table, encode, operator_table

__all__ = [
    "DEFAULT_MODEL",
    "Match",
    "SentenceEncoder",
    "catalog_table",
    "encode",
    "nearest",
    "operator_table",
]
