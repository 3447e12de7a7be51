"""Reading descriptions: which operator a text means, whatever its words."""

from snap_encode.reading.reader import Described, Reader, read
from snap_encode.reading.reading import Reading

__all__ = ["Described", "Reader", "Reading", "read"]
