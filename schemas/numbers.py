"""Numbers as messages write them: JSON numbers, or decimal text, which is what all numbers were until FTS3 3.5."""

from __future__ import annotations

import re
from decimal import Decimal

_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")
"""No more digits than any real number has: what comes after is arithmetic, and a hostile exponent is a long one."""


def decimal_of(value: object) -> Decimal | None:
    """The number of an int, a finite float or decimal text without white space; None for everything else."""
    if type(value) is int:
        return Decimal(value)
    text = value if type(value) is str else repr(value) if type(value) is float else ""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def whole(number: Decimal) -> int | None:
    """The whole number that a decimal is, None when it has a fraction."""
    rounded = number.to_integral_value()
    return int(rounded) if rounded == number else None
