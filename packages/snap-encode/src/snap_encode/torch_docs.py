"""Extract descriptions of operators from the documentation of torch."""

import inspect
import re

from snap_catalog import SnapError

_MARKUP = (
    (r"\\text\{([^}]*)\}", r"\1"),  # TeX: \text{Softmax}
    (r"\\leq\b", "<="),
    (r"\\([a-z]+)", r"\1"),  # \log
    (r"(?::[\w:]+:)?`+~?([^`]*)`+", r"\1"),  # :class:`Conv1d`, ``in_channels``, `dim`
    (r"\s+", " "),
    (r":$", "."),  # before a formula
)
"""Markup and what it becomes in plain text, in the order in which to replace it."""


def official_description(name: str) -> str:
    """Return the first sentence of torch's documentation of a class, as plain text.

    `name` is a module class of `torch.nn`, for instance `Conv2d`.

    Raises:
        SnapError: torch has no module of that name, or no documentation for it.
    """
    import torch

    module = getattr(torch.nn, name, None)
    known = isinstance(module, type) and issubclass(module, torch.nn.Module)
    # inspect.getdoc would return the documentation of a base class.
    if not known or not module.__doc__:
        raise SnapError(
            f"torch {torch.__version__} describes no module torch.nn.{name}; "
            "check the spelling, or install a torch that has it"
        )
    first, *others = inspect.cleandoc(module.__doc__).split("\n\n")
    text = others[0] if first.startswith("__init__(") else first
    for markup, plain in _MARKUP:
        text = re.sub(markup, plain, text)
    return re.split(r"(?<=\.) ", text, maxsplit=1)[0]
