"""What a running process tells Prometheus, as a test reads it."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Mapping
from typing import Any

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.support.commands import Running
from tests.support.waiting import eventually


def address_of(running: Running) -> str:
    """Where a process answers, as it says itself: ``http://host:port``."""

    def told() -> str:
        found = re.search(r"(?:health page at|listening on) (http://[\w.:]+:\d+)", running.said())
        return found[1] if found else ""

    return eventually(told, 60)


class Scrape:
    """One scrape; values by name without ``transferscope_`` and by the values of the labels."""

    def __init__(self, base: str) -> None:
        with urllib.request.urlopen(f"{base}/metrics", timeout=20) as answer:
            self.families: list[Metric] = list(text_string_to_metric_families(answer.read().decode()))
        samples = [sample for family in self.families for sample in family.samples]
        self.values: Mapping[tuple[str, ...], float] = {
            (sample.name.removeprefix("transferscope_"), *sample.labels.values()): sample.value for sample in samples
        }

    def __getitem__(self, place: Any) -> float:
        """``scrape["name", "label"]``, ``scrape["name"]``. Raises KeyError."""
        return self.values[place if isinstance(place, tuple) else (place,)]
