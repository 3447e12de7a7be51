"""Keep libraries silent, and report their failures in one line."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten

from snap_catalog import SnapError


@contextmanager
def silenced() -> Iterator[None]:
    """Suppress warnings, log records and progress bars of libraries; exceptions propagate."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            # transformers switches the bars of huggingface_hub along with its own.
            from transformers.utils import logging as bars

            shown = bars.is_progress_bar_enabled()
            bars.disable_progress_bar()  # type: ignore[no-untyped-call]
            try:
                yield
            finally:
                if shown:
                    bars.enable_progress_bar()  # type: ignore[no-untyped-call]
    finally:
        logging.disable(level)


@contextmanager
def explained(problem: str, remedy: str, most: int = 200) -> Iterator[None]:
    """Silence libraries, and raise any of their errors as `PROBLEM (its first words); REMEDY`.

    Their errors have no base class: damaged files fail in as many ways as the libraries have parts.

    Args:
        problem: what failed.
        remedy: what to do.
        most: characters of the library's message that are shown.

    Raises:
        SnapError: the code within raised an exception.
    """
    try:
        with silenced():
            yield
    except Exception as error:
        reason = shorten(str(error), most, placeholder=" ...") or type(error).__name__
        raise SnapError(f"{problem} ({reason}); {remedy}") from error
