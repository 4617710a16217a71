"""What a soak says of its samples: flat or not, and a picture that shows each series."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from pipeline.cli.soak_picture import picture
from pipeline.cli.soak_samples import RATE, Sample, figures, unit_of

MEMORY = "memory of worker 1"


def samples(memory_mb: list[float]) -> list[Sample]:
    """One after each hundredth of 1000 messages."""
    return [
        Sample(number / 10, number * 1000 // len(memory_mb), {MEMORY: value, RATE: 100.0})
        for number, value in enumerate(memory_mb)
    ]


def test_a_process_that_keeps_growing_is_not_flat_and_one_that_fills_its_caches_first_is() -> None:
    growing = {each.name: each for each in figures(samples([100.0 + number for number in range(100)]), 1000)}
    assert growing[f"{MEMORY}: last quarter to second"].reached is False
    assert growing[f"{MEMORY}: last quarter to second"].value == pytest.approx(187 / 137, rel=0.02)
    filling = {each.name: each for each in figures(samples([min(200.0, number * 10.0) for number in range(100)]), 1000)}
    assert filling[f"{MEMORY}: last quarter to second"].reached is True
    assert filling[MEMORY].value == 200


def test_a_rate_must_not_fall() -> None:
    falling = [Sample(number / 10, number * 10, {RATE: 100.0 - number}) for number in range(100)]
    found = {each.name: each for each in figures(falling, 1000)}
    assert found[f"{RATE}: last quarter to second"].reached is False


def test_the_picture_has_a_curve_for_each_series_within_its_frame() -> None:
    document = ElementTree.fromstring(picture(samples([100.0 + number for number in range(100)])))
    space = "{http://www.w3.org/2000/svg}"
    named = [text.text for text in document.iter(f"{space}text") if text.get("class") == "name"]
    assert named == [MEMORY, RATE]
    for path in document.iter(f"{space}path"):
        places = [tuple(map(float, step.lstrip("ML").split())) for step in _steps(path.attrib["d"])]
        assert len(places) == 100
        assert all(0 <= across <= 460 and 0 <= down <= 150 for across, down in places)


def _steps(drawn: str) -> list[str]:
    return drawn.replace(" L", "\nL").splitlines()


def test_each_series_has_its_unit() -> None:
    assert [unit_of(name) for name in (MEMORY, "open files of bridge", RATE)] == ["MB", "", "messages/s"]
