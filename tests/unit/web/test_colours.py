"""The colours of the style sheet can be told apart and read, in both themes, whatever somebody's eyes tell apart."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from pipeline.web import pages
from pipeline.web.config import Thresholds
from pipeline.web.pages.classes import classes
from pipeline.web.pages.shades import SHADES
from tests.support.colours import VISIONS, contrast, distance, themes

SHEET = (Path(pages.__file__).parent / "static" / "style.css").read_text()
COLOURS = themes(SHEET)
UNCOLOURED = ("none", "silent")
CLASSES = [name for name in classes(Thresholds()) if name not in UNCOLOURED]
GROUPS = {"efficiency": CLASSES, "shades": [f"shade{place}" for place in range(SHADES)]}


def test_the_arithmetic_is_that_of_known_colours() -> None:
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)
    assert distance("#000", "#ffffff", "normal") == pytest.approx(100, abs=0.1)
    assert distance("#f00", "#0f0", "normal") == pytest.approx(170.6, abs=0.3)
    assert distance("#f00", "#0c0", "deutan") < distance("#f00", "#0c0", "normal") / 5
    for vision in VISIONS:
        assert distance("#fff", "#808080", vision) == pytest.approx(distance("#fff", "#808080", "normal"), abs=0.2)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("group", list(GROUPS))
def test_numbers_in_cells_can_be_read(theme: str, group: str) -> None:
    found = COLOURS[theme]
    for name in GROUPS[group]:
        assert f".{name} {{ background: var(--{name}); color: var(--{name}-ink); }}" in SHEET
        assert contrast(found[name], found[f"{name}-ink"]) >= 4.5, name


@pytest.mark.parametrize("vision", list(VISIONS))
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("group", list(GROUPS))
def test_no_two_classes_look_alike(theme: str, group: str, vision: str) -> None:
    for one, other in combinations(GROUPS[group], 2):
        far = distance(COLOURS[theme][one], COLOURS[theme][other], vision)
        assert far >= 15, f"{one} and {other}: {far:.1f}"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("group", list(GROUPS))
def test_worse_and_more_stand_out_more_even_in_grey(theme: str, group: str) -> None:
    page = COLOURS[theme]["page"]
    found = [contrast(COLOURS[theme][name], page) for name in GROUPS[group]]
    assert found == sorted(found)
