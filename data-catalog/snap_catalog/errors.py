"""The one exception that users of the tools are expected to meet, and how its text is rendered."""

_SHORT_OF_MEMORY = (
    "cannot allocate memory",
    "failed to map segment",
    "can't start new thread",
    "failed to launch worker thread",
    "bad_alloc",
)
"""How libraries, the loader and threads say that there is too little memory."""


class SnapError(Exception):
    """An expected failure, described in one line: the file, the value at fault and the remedy.

    Command lines print it and exit with 1; libraries let it through.
    """


def one_line(text: str) -> str:
    """Return a text with every line break and control character as a Python escape.

    Names of files, columns and architectures may hold any character; in an error they must
    neither break the line nor steer the terminal.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def excerpt(value: object, most: int = 60) -> str:
    """Return at most `most` characters of a value's `repr`, whatever the value is.

    Integers of thousands of digits and deeply nested values have no `repr`; their type is named.
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"<{type(value).__name__} too long to show>"
    return text if len(text) <= most else f"{text[:most]}..."


def is_short_of_memory(error: BaseException) -> bool:
    """Return whether an error of any library means that there is too little memory."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(phrase in text for phrase in _SHORT_OF_MEMORY)
