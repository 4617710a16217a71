"""The example of a user's own agent, run as its text says, on what the relay publishes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from consumers.kafka import admin
from consumers.kafka.access import KafkaAccess
from pipeline.devstack.stack import Stack
from pipeline.ingest import Ingest
from pipeline.simulator import Mix, simulate
from tests.support import bridged, postgres
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"
T = 1_795_312_800_000


def test_the_example_counts_the_failures_of_each_site(stack: Stack, tmp_path: Path) -> None:
    bootstrap = stack.env()["TRANSFERSCOPE_KAFKA_BOOTSTRAP"]
    admin.ensure_topics(KafkaAccess((bootstrap,)), 2)
    log = tmp_path / "agent.log"
    more = {"TRANSFERSCOPE_KAFKA_BOOTSTRAP": bootstrap, "WINDOW_S": "2", "GROUP": f"example-{uuid.uuid4().hex}"}
    command = [str(Path(sys.executable).with_name("faust")), "--datadir", str(tmp_path), "-A", "failed_transfers"]
    with (
        postgres.template(stack.env()["TRANSFERSCOPE_DATABASE_URL"]) as url,
        log.open("wb") as said,
        subprocess.Popen(
            [*command, "worker", "-l", "info"], cwd=EXAMPLES, env=os.environ | more, stdout=said, stderr=said
        ) as agent,
    ):
        commands = Commands(stack.env() | {"TRANSFERSCOPE_DATABASE_URL": url}, tmp_path)
        try:
            eventually(lambda: "Worker ready" in log.read_text(), 60)
            with closing(Ingest(url)) as ingest:
                ingest.process(bridged.read(bridged.records(simulate(1000, 1, T, mix=Mix(poison=0)), 1)))
            commands.start("relay")
            with closing(Database(url)) as database:
                expected = {
                    site: (failed, total)
                    for site, failed, total in database.ask(
                        "SELECT dst_site, count(*) FILTER (WHERE state = 'failed'), count(*)"
                        " FROM report.transfer WHERE state IN ('ok', 'failed') GROUP BY 1"
                    )
                }
            assert sum(failed for failed, _ in expected.values()) > 10

            def told() -> dict[str, tuple[int, int]]:
                sums: dict[str, Counter[str]] = {}
                for site, failed, total in re.findall(r"(\S+): (\d+) of (\d+) failed", log.read_text()):
                    sums.setdefault(site, Counter()).update(failed=int(failed), total=int(total))
                return {site: (counts["failed"], counts["total"]) for site, counts in sums.items()}

            eventually(lambda: told() == expected, 40)
        finally:
            commands.close()
            agent.terminate()
            print(log.read_text()[-3000:])
