"""Vectors for neural network operators from their descriptions."""

from typing import TYPE_CHECKING

from snap_catalog import lazy

if TYPE_CHECKING:
    from snap_encode.encoder import SentenceEncoder
    from snap_encode.models import DEFAULT_MODEL
    from snap_encode.operator_encoder import OperatorEncoder
    from snap_encode.reading import Reading, read
    from snap_encode.similarity import Match, nearest
    from snap_encode.tables import catalog_table, encode, operator_table

__all__ = [
    "DEFAULT_MODEL",
    "Match",
    "OperatorEncoder",
    "Reading",
    "SentenceEncoder",
    "catalog_table",
    "encode",
    "nearest",
    "operator_table",
    "read",
]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "DEFAULT_MODEL": "snap_encode.models",
        "Match": "snap_encode.similarity",
        "OperatorEncoder": "snap_encode.operator_encoder",
        "Reading": "snap_encode.reading",
        "SentenceEncoder": "snap_encode.encoder",
        "catalog_table": "snap_encode.tables",
        "encode": "snap_encode.tables",
        "nearest": "snap_encode.similarity",
        "operator_table": "snap_encode.tables",
        "read": "snap_encode.reading",
    },
)
