"""One run: messages come, faults happen, everything comes to rest, the tables are recounted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

from consumers.bridge.publish import create_queues
from pipeline.devstack.errors import StackError
from schemas.topics import TOPICS
from tests.chaos import recovery, traffic
from tests.chaos.crew import Crew
from tests.chaos.faults import PLAYS
from tests.chaos.scene import Scene
from tests.chaos.schedule import Fault, Schedule
from tests.chaos.site import BOOTSTRAP, DATABASE_URL, Site
from tests.chaos.traffic import Traffic
from tests.chaos.verdict import Verdict, judge
from tests.support.commands import Commands
from tests.support.emptied import empty_topics, remove_queues
from tests.support.postgres import copy_of
from tests.support.publishing import broker_of

_IDLE_S = 120


class Played(NamedTuple):
    """Faults that happened together, and the seconds until messages moved again afterwards."""

    kinds: tuple[str, ...]
    recovery_s: float


class Outcome(NamedTuple):
    """``trouble`` is empty when the run came to its end, else what kept it from that; there is no verdict then."""

    played: tuple[Played, ...]
    verdict: Verdict | None
    trouble: str

    @property
    def is_good(self) -> bool:
        late = any(played.recovery_s > recovery.LIMIT_S for played in self.played)
        return self.verdict is not None and self.verdict.is_good and not late


def run(site: Site, schedule: Schedule, folder: Path) -> Outcome:
    """Logs of the processes and the record of what was published are left in ``folder``, which must be there.

    Kinds of fault that the schedule names must be possible. Raises StackError when a service does not come up again:
    that says nothing about what is tested.
    """
    played: list[Played] = []
    try:
        verdict = _run(site, schedule, folder, played)
    except StackError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the campaign keeps it and goes on
        return Outcome(tuple(played), None, f"{type(error).__name__}: {error}")
    return Outcome(tuple(played), verdict, "")


def _run(site: Site, schedule: Schedule, folder: Path, played: list[Played]) -> Verdict:
    consumer = f"chaos-{uuid.uuid4().hex[:12]}"
    with ExitStack() as ending:
        url = ending.enter_context(copy_of(site.template_url))
        own = {DATABASE_URL: url, "TRANSFERSCOPE_STOMP_CONSUMER": consumer}
        commands = Commands(dict(site.settings) | own, folder)
        empty_topics(site.settings[BOOTSTRAP], [topic.name for topic in TOPICS])
        for broker in site.brokers:
            ending.callback(remove_queues, broker.settings, consumer)
        ending.callback(commands.close)
        crew = Crew(commands, site.behind(url))
        for broker in site.brokers:
            create_queues(replace(broker_of(broker.settings), consumer=consumer))
        crew.start()
        messages = traffic.regular(schedule.messages, schedule.seed)
        shares = 2 * len(schedule.steps) + 1
        coming = Traffic(messages, [broker.settings for broker in site.brokers], shares)
        ending.callback(coming.stop)
        scene = Scene(site, folder, url, crew, coming)
        for step in schedule.steps:
            coming.go_on()
            scene.wait(step.wait_s)
            _play(scene, step.faults)
            played.append(Played(tuple(fault.kind for fault in step.faults), recovery.measure(scene)))
        coming.finish()
        scene.wait(0)
        commands.wait_idle(_IDLE_S)
        crew.end()
        return judge(coming.published(), folder / "published.jsonl", url)


def _play(scene: Scene, faults: Sequence[Fault]) -> None:
    """All of them at once."""
    with ExitStack() as happening:
        for fault in faults:
            happening.enter_context(PLAYS[fault.kind](scene, fault, Random(fault.seed)))
        scene.wait(max(fault.lasts_s for fault in faults))
