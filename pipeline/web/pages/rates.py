"""Rates as people write them: 20 MB/s, 1.5GB, 5000000."""

from __future__ import annotations

import re

from pipeline.web.problems import bad_parameter

_WRITTEN = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([kKMGTP]?)B?(?:/s)?")
_POWERS = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}


def read_rate(parameter: str, written: str) -> float:
    """The rate in B/s, prefixes decimal; raises Problem 400 for what is none, such as bits or binary prefixes."""
    match = _WRITTEN.fullmatch(written.strip())
    rate = float(match[1]) * _POWERS[match[2]] if match else 0.0
    if rate <= 0:
        raise bad_parameter(parameter, f"{written!r} is no rate in bytes: write 20MB/s, 1.5GB/s or 5000000")
    return rate
