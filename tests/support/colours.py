"""Colours as eyes see them: contrast, and distances in four kinds of vision.

Luminance and contrast are those of WCAG 2.2 (w3.org/TR/WCAG22, relative luminance). Distances are Delta E 76, lengths
in CIE 1976 L*a*b* under D65. Protan, deutan and tritan vision are simulated in linear RGB by the matrices for
severity 1.0 of Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
Deficiency", IEEE Transactions on Visualization and Computer Graphics 15 (2009), 1291-1298.
"""

from __future__ import annotations

import math
import re

Triple = tuple[float, float, float]

VISIONS: dict[str, tuple[Triple, Triple, Triple]] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WHITE = (0.9505, 1.0, 1.0890)
_DEFINED = re.compile(r"--([\w-]+):\s*(light-dark\([^)]*\)|#\w+)\s*;")


def themes(sheet: str) -> dict[str, dict[str, str]]:
    """The colours that a style sheet names, as they are in each theme."""
    found: dict[str, dict[str, str]] = {"light": {}, "dark": {}}
    root = sheet[sheet.index(":root {") : sheet.index("}", sheet.index(":root {"))]
    for name, value in _DEFINED.findall(root):
        both = re.findall(r"#\w+", value)
        found["light"][name], found["dark"][name] = both[0], both[-1]
    return found


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    darker, lighter = sorted(_times(_XYZ, _linear(each))[1] for each in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def distance(one: str, other: str, vision: str) -> float:
    """How far apart two colours are in this vision; 2 is just seen side by side."""
    return math.dist(_lab(one, vision), _lab(other, vision))


def _linear(colour: str) -> Triple:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    shares = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return red, green, blue


def _times(matrix: tuple[Triple, Triple, Triple], value: Triple) -> Triple:
    one, two, three = (sum(a * b for a, b in zip(row, value, strict=True)) for row in matrix)
    return one, two, three


def _lab(colour: str, vision: str) -> Triple:
    red, green, blue = (min(1.0, max(0.0, each)) for each in _times(VISIONS[vision], _linear(colour)))
    x, y, z = (_root(each / white) for each, white in zip(_times(_XYZ, (red, green, blue)), _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(value: float) -> float:
    return value ** (1 / 3) if value > (6 / 29) ** 3 else value / (3 * (6 / 29) ** 2) + 4 / 29
