"""Reading descriptions: which operator a text means, whatever its words."""

from snap_encode.reading.reader import Reader, read
from snap_encode.reading.reading import Reading

__all__ = ["Reader", "Reading", "read"]
