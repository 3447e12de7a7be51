"""Read descriptions: recognise the operator that a text means, whatever its words."""

from snap_encode.reading.reader import Described, Reader, read
from snap_encode.reading.reading import Reading

__all__ = ["Described", "Reader", "Reading", "read"]
