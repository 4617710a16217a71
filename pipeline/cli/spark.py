"""Sparklines: a row of numbers as one line of characters of rising height."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = ".:-=+*#@"
"""The same number of heights where the terminal's encoding has no blocks."""
GAP = " "


def heights_for(encoding: str | None) -> str:
    """The characters that an output of this encoding can show; None and unknown encodings get ASCII."""
    try:
        BLOCKS.encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return ASCII
    return BLOCKS


def sparkline(values: Sequence[float | None], top: float | None = None, heights: str = BLOCKS) -> str:
    """One character a value, a gap for None.

    The lowest height is 0, or the smallest value if that is negative; the highest is ``top``, or the largest value.
    Heights are rounded up: one failure beside a thousand does not look like none.
    """
    known = [value for value in values if value is not None]
    low = min(known, default=0.0)
    low = min(low, 0.0)
    span = max(known, default=0.0) - low if top is None else top - low
    return "".join(GAP if value is None else heights[_height(value - low, span, len(heights))] for value in values)


def _height(above: float, span: float, number: int) -> int:
    if span <= 0 or above <= 0:
        return 0
    if above >= span:  # by far, it may be: the ratio could be infinite
        return number - 1
    return math.ceil(above / span * (number - 1))
