"""The share of intervals that are to hold the true value; apart, so that the command line has it at once."""

from __future__ import annotations

from numbers import Real

from glove_cli.errors import OptionError

LEVEL = 0.9


def check_level(level: float) -> None:
    """Refuse a level that is no share.

    Parameters
    ----------
    level : float

    Raises
    ------
    OptionError
    """
    given: object = level
    if isinstance(given, bool) or not isinstance(given, Real) or not 0 < level < 1:
        raise OptionError(f"--level: {level!r} is not between 0 and 1. Give a share such as 0.9.")
