"""The one exception that users of the tools are expected to meet."""


class SnapError(Exception):
    """An expected failure, told in one line: the file, the value at fault and the remedy.

    Command lines print it and exit with 1; libraries let it through.
    """
