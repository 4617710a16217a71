"""Colour by an amount: shades of one hue, each a step of a logarithmic scale."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.store.queries.columns import Kind
from pipeline.units import human

SHADES = 6
_WIDE = 1000.0
"""Largest over smallest from which a step is a whole power of ten."""


class Shade(NamedTuple):
    """``name`` is its CSS class."""

    name: str
    meaning: str


class Scale(NamedTuple):
    """``bounds`` rise; a value from the last on has the strongest shade."""

    bounds: tuple[float, ...]

    def name(self, value: float | None) -> str:
        """The shade of a value: none for none, and for 0, which no logarithm has."""
        if not value:
            return "none"
        return f"shade{SHADES - 1 - len(self.bounds) + bisect_right(self.bounds, value)}"

    def legend(self, kind: Kind) -> list[Shade]:
        """All shades, strongest first."""
        found = [Shade(self.name(bound), f"{human(bound, kind)} and more") for bound in self.bounds[-1:]]
        for lower, upper in zip(self.bounds[-2::-1], self.bounds[:0:-1], strict=True):
            found.append(Shade(self.name(lower), f"{human(lower, kind)} to below {human(upper, kind)}"))
        if self.bounds:
            below = self.bounds[0]
            found.append(Shade(self.name(below / 2), f"above 0 to below {human(below, kind)}"))
        return found


def scale(values: Iterable[float | None]) -> Scale:
    """Bounds at 1 and 3 times powers of ten, or at powers of ten where values lie far apart."""
    found = [value for value in values if value]
    if not found:
        return Scale(())
    least, most = min(found), max(found)
    digits = (1.0,) if most / least > _WIDE else (1.0, 3.0)
    nice = [bound for power in range(-9, 22) for digit in digits if (bound := digit * 10.0**power) <= most]
    return Scale(tuple([bound for bound in nice if bound > least][-(SHADES - 1) :] or nice[-1:]))
