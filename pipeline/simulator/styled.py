"""JSON laid out as FTS3's library (JsonCpp) does it: keys sorted, tabs, a blank on both sides of the colon."""

from __future__ import annotations

from collections.abc import Mapping


def styled(fields: Mapping[str, str], depth: int = 0) -> str:
    """An object of values that are JSON already; one inside another stands ``depth`` tabs deep, on lines of its own.

    >>> styled({"b": "1", "a": '"x"'})
    '{\\n\\t"a" : "x",\\n\\t"b" : 1\\n}'
    """
    tabs = "\t" * depth
    lines = ",\n".join(f'{tabs}\t"{name}" : {fields[name]}' for name in sorted(fields))
    before = f"\n{tabs}" if depth else ""
    return f"{before}{{\n{lines}\n{tabs}}}"
