"""Values as people read them: decimal units as the field uses them, times in UTC, a dash for none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from pipeline.store.queries.columns import Kind

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")
NONE = "-"


def human(value: object, kind: Kind) -> str:
    """The value of a column of this kind for a table; text is not made safe here."""
    if value is None:
        return NONE
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value, kind)
    if isinstance(value, Mapping):
        return " ".join(f"{name}={text}" for name, text in value.items())
    return str(value)


def _number(value: float, kind: Kind) -> str:
    if kind == "bytes":
        return scaled(value, "B")
    if kind == "rate":
        return scaled(value, "B/s")
    if kind == "ms":
        return duration(value)
    if kind == "ratio":
        return f"{value * 100:.1f} %"
    if kind == "percent":
        return f"{value:.1f} %"
    if kind == "correlation":
        return f"{value:+.2f}"
    if kind == "number":
        return f"{value:.4g}"
    return count(value)


def scaled(value: float, unit: str) -> str:
    """1234567 and "B" give 1.23 MB: three digits that count."""
    power, prefix = prefix_of(value)
    size = abs(value) / power
    sign = "-" if value < 0 else ""
    if power == 1:
        return f"{sign}{size:.0f} {unit}"
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{sign}{size:.{digits}f} {prefix}{unit}"


def prefix_of(value: float) -> tuple[float, str]:
    """The decimal prefix in which a value is written with one to three digits before the point, and its size."""
    size = float(abs(value))
    step = 0
    # 999.5 would be shown as 1000
    while size >= (999.5 if step else 1000) and step < len(_PREFIXES) - 1:
        size /= 1000
        step += 1
    return 1000.0**step, _PREFIXES[step]


def duration(ms: float) -> str:
    """12 ms, 3.4 s, 5 min 06 s, 2 h 05 min, 3 d 04 h."""
    if ms < 0:
        return f"-{duration(-ms)}"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    seconds = round(ms / 1000)
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    if seconds < 86_400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3600:02d} h"


def count(value: float) -> str:
    """12345 gives 12 345; a mean keeps one digit."""
    text = f"{value:,.1f}" if isinstance(value, float) and not value.is_integer() else f"{value:,.0f}"
    return text.replace(",", " ")


def moment(value: datetime) -> str:
    """2026-11-22 10:20:00Z; without seconds where they are 0."""
    utc = value.astimezone(UTC)
    return utc.strftime("%Y-%m-%d %H:%MZ" if utc.second == 0 else "%Y-%m-%d %H:%M:%SZ")


def iso(value: datetime) -> str:
    """The instant for programs: 2026-11-22T10:20:00Z, with milliseconds where there are any."""
    utc = value.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").replace("+00:00", "Z")
