"""The logarithmic scale of every histogram: eight bins an octave, exact in whole numbers.

Values 0 to 7 have a bin each. From 8 on, each octave ``[2^e, 2^(e+1))`` is cut into eight equal bins:
8 -> bin 8, 15 -> 15, 16 and 17 -> 16, 18 and 19 -> 17. A bin is at most 1/8 as wide as its lower edge, so a value
read off its middle is at most 1/16 (6.25 %) away from the true one. Histograms of one scale are merged by adding.
"""

from __future__ import annotations

BINS_PER_MEASURE = 512
"""Room for every bin of a 63-bit value (the highest is 487), so that measure and bin fit one number."""


def bin_of(value: int) -> int:
    """The bin of a whole number >= 0."""
    if value < 8:
        return value
    exponent = value.bit_length() - 1
    return (exponent - 2) * 8 + ((value >> (exponent - 3)) & 7)


def lower_edge(bin_number: int) -> int:
    """The smallest value of a bin; the bin ends before ``lower_edge(bin_number + 1)``."""
    if bin_number < 16:
        return bin_number
    exponent = bin_number // 8 + 2
    return (8 + bin_number % 8) << (exponent - 3)
