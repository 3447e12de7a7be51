"""What readers stumble over in records that are laid out otherwise than they should be."""

MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""The exceptions that reading such a record raises."""


def fault(error: Exception) -> str:
    """Say in one line what is wrong with a record."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return f"lacks {reason}" if isinstance(error, KeyError) else reason
