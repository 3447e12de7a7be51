"""The exception for expected failures, and helpers to format its text."""

_SHORT_OF_MEMORY = (
    "allocate memory",
    "out of memory",
    "failed to map segment",
    "can't start new thread",
    "failed to launch worker thread",
    "bad_alloc",
)
"""Messages of libraries, the loader and threads that run out of memory."""


class SnapError(Exception):
    """An expected failure, described in one line: the file, the wrong value and the remedy.

    Command lines print it and exit with 1.
    """


def one_line(text: str) -> str:
    """Escape line breaks and control characters in a text, as Python does.

    Names of files, columns and architectures may contain any character, which must not break the
    line of an error message or control the terminal.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def excerpt(value: object, most: int = 60) -> str:
    """Return at most `most` characters of the `repr` of any value.

    Integers of thousands of digits and deeply nested values have no `repr`; their type is shown.
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"<{type(value).__name__} too long to show>"
    return text if len(text) <= most else f"{text[:most]}..."


def is_short_of_memory(error: BaseException) -> bool:
    """Return whether an error of any library means that memory ran out."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(phrase in text for phrase in _SHORT_OF_MEMORY)
