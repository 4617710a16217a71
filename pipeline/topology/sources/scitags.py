"""Scitags' registry: the numbers of experiments and activities in flow labels. It places no host."""

from __future__ import annotations

from typing import Any

from pipeline.topology.document import ExperimentEntry
from pipeline.topology.sources.statement import Collector, Source, Statement, listing, mapping, text, whole

_NOBODY = "default"
_IDS = range(1, 512)


def _fits(content: Any) -> bool:
    experiments = listing(mapping(content).get("experiments"))
    return bool(experiments) and all("expName" in mapping(each) for each in experiments)


def _read(content: Any, vo: str) -> Statement:
    found = Collector()
    experiments = []
    for fields in map(mapping, listing(mapping(content).get("experiments"))):
        name, number = text(fields.get("expName")).lower(), whole(fields.get("expId"))
        if name == _NOBODY:
            continue
        if not name or number is None or number not in _IDS:
            found.note("an experiment without a name or number", str(fields)[:80])
            continue
        activities = {}
        for activity in map(mapping, listing(fields.get("activities"))):
            activity_name, activity_id = text(activity.get("activityName")), whole(activity.get("activityId"))
            if activity_name and activity_id is not None:
                activities[activity_name] = activity_id
        experiments.append(ExperimentEntry(vo=name, id=number, activities=activities))
    return found.done(tuple(experiments))


SOURCE = Source("scitags", _fits, _read)
