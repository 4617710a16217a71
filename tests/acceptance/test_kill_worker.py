"""Two workers share the work, and one after the other is killed in the middle of it."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from consumers.kafka import groups
from consumers.kafka.access import KafkaAccess
from consumers.kafka.feed import feed
from consumers.kafka.producer import Record
from consumers.worker.config import GROUP
from pipeline.ingest import Ingest
from pipeline.store import migrations
from pipeline.store.session import connect
from pipeline.store.totals import Totals, totals
from schemas.topics import FTS_TRANSFER
from tests.support import postgres
from tests.support.bridged import lag, read, records
from tests.support.commands import Commands
from tests.support.recounted import assert_recounted, rough_traffic
from tests.support.tables import Tables, differences, tables
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

SEED = 33
MESSAGES = 12_000
KILLS = 4


def test_workers_killed_in_the_middle_of_it_leave_the_tables_of_a_clean_run(
    transferscope: Commands, postgres_server: str, tmp_path: Path
) -> None:
    rng = Random(SEED)
    messages = rough_traffic(MESSAGES, SEED)
    kafka = KafkaAccess((transferscope.settings["TRANSFERSCOPE_KAFKA_BOOTSTRAP"],))
    partitions = len(groups.lag(kafka, GROUP, [FTS_TRANSFER]))
    bridged = records(messages, partitions)
    workers = [transferscope.start("worker") for _ in range(2)]
    with closing(connect(transferscope.database_url)) as store:
        for killed in range(KILLS):
            share = MESSAGES // KILLS
            feed(kafka, bridged[killed * share : (killed + 1) * share])
            before = sum(totals(store))
            eventually(lambda before=before: sum(totals(store)) > before, 60)  # type: ignore[misc]
            victim = rng.randrange(2)
            workers[victim].kill()
            workers[victim] = transferscope.start("worker")
        feed(kafka, bridged[KILLS * (MESSAGES // KILLS) :])
        eventually(lambda: lag(kafka) == 0, 120)
        counted = totals(store)
        for worker in workers:
            worker.await_word("health page at ", 60)  # the last one may still begin while the others did its work
            worker.end()
        mine = tables(store)
    clean, clean_counted = clean_run(messages=bridged, server_url=postgres_server)
    found = list(islice(differences(mine, clean), 10))
    assert found == [], f"seed {SEED}"
    assert counted.stored == clean_counted.stored
    assert counted.duplicate > clean_counted.duplicate, "nothing came again after any kill: the test shows nothing"
    assert_recounted(messages, tmp_path, transferscope.database_url, note=f"seed {SEED}")


def clean_run(messages: list[Record], server_url: str) -> tuple[Tables, Totals]:
    """The tables that the same messages give when nothing goes wrong."""
    with postgres.empty(server_url) as url:
        migrations.upgrade(url)
        with closing(Ingest(url)) as ingest:
            ingest.process(read(messages))
        with closing(connect(url)) as store:
            return tables(store), totals(store)
