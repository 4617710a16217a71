"""A release is rolled out under load: the tables are expanded, every process is replaced, the tables are contracted."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from schemas.topics import TRANSFERS
from tests.support.commands import Commands, Running
from tests.support.database import Database
from tests.support.kafka_reader import KafkaReader
from tests.support.publishing import Publisher
from tests.support.recounted import assert_recounted, rough_traffic
from tests.support.release import EXPAND, PAINTING, release, version
from tests.support.told import assert_told
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

SEED = 58
AT_MOST = 40_000
RATE = 60
WITHIN_S = 180
"""Not a promise: room for a machine with much else to do."""

CONTRACT = f"""
oldest_program = "{version(1)}"

def upgrade() -> None:
    op.execute("UPDATE store.transfer SET colour = 'none' WHERE colour IS NULL")
    op.execute("ALTER TABLE store.transfer ALTER COLUMN colour SET NOT NULL")
"""


class Rollout:
    """Processes that are replaced one by one while messages come."""

    def __init__(self, transferscope: Commands, database: Database) -> None:
        self.transferscope = transferscope
        self._database = database

    def painted(self) -> tuple[int, int]:
        """Transfers that the old release has stored, and the new one."""
        ((old, new),) = self._database.ask(
            "SELECT count(*) FILTER (WHERE colour IS NULL), count(*) FILTER (WHERE colour = 'blue') FROM store.transfer"
        )
        return int(old), int(new)

    def await_work(self, *, old: bool = False, new: bool = False) -> None:
        """Returns when the named releases have stored more than now."""
        before = self.painted()

        def more() -> bool:
            now = self.painted()
            return (not old or now[0] > before[0]) and (not new or now[1] > before[1])

        eventually(more, WITHIN_S)

    def replace(self, running: Running, name: str, to: dict[str, str], *, kill: bool = False) -> Running:
        """As an orchestrator does it: one more, which is ready, then one less."""
        added = self.transferscope.start(name, settings=to)
        ready(added)
        if kill:
            running.kill()
        else:
            end(running)
        return added


def ready(running: Running) -> None:
    running.await_word("health page at ", WITHIN_S)


def end(running: Running) -> None:
    """In order; how soon is asked elsewhere."""
    running.tell_to_end()
    assert running.await_end(WITHIN_S) == 0, running.said()


def test_a_release_rolled_out_under_load_loses_and_doubles_nothing(transferscope: Commands, tmp_path: Path) -> None:
    new = release(tmp_path / "new", [EXPAND], PAINTING)
    after = release(tmp_path / "after", [EXPAND, CONTRACT], PAINTING)
    messages = rough_traffic(AT_MOST, SEED)
    workers = [transferscope.start("worker") for _ in range(2)]
    others = {name: transferscope.start(name) for name in ("bridge", "relay", "alerts")}
    transferscope.wait_idle()
    bootstrap = transferscope.settings["TRANSFERSCOPE_KAFKA_BOOTSTRAP"]
    with (
        closing(Database(transferscope.database_url)) as database,
        KafkaReader(bootstrap, TRANSFERS) as transfers,
        Publisher(messages, transferscope.settings, RATE) as publisher,
    ):
        rollout = Rollout(transferscope, database)
        publisher.await_published(500)
        assert f"version {version(1)}, {version(0)} before" in transferscope("init", settings=new)
        rollout.await_work(old=True)

        workers[0].kill()  # one of the old release comes back beside tables that it does not know
        workers[0] = transferscope.start("worker")
        ready(workers[0])
        assert f"version {version(1)} of a newer release" in transferscope("init")
        workers.append(transferscope.start("worker", settings=new))
        rollout.await_work(old=True, new=True)

        workers[0] = rollout.replace(workers[0], "worker", new)
        workers[1] = rollout.replace(workers[1], "worker", new, kill=True)
        for name, running in others.items():
            others[name] = rollout.replace(running, name, new)
        rollout.await_work(new=True)

        forgotten = transferscope.start("worker")
        rollout.await_work(old=True)
        assert f"version {version(2)}, {version(1)} before" in transferscope("init", settings=after)
        assert forgotten.await_end(WITHIN_S) == 2
        refusal = f"the tables need a program of version {version(1)} or newer, this one is {version(0)}"
        assert refusal in forgotten.said().splitlines()[-1]
        for command in ("worker", "relay", "init"):
            transferscope(command, code=2)
            assert refusal in transferscope.err.splitlines()[-1]
        rollout.await_work(new=True)
        publisher.stop()
        publisher.await_end()
        transferscope.wait_idle()
        for running in (*workers, *others.values()):
            end(running)
        assert database.value("SELECT sum(strokes) FROM store.brush") == rollout.painted()[1]
        assert_told(transfers.read_rest(), transferscope.database_url)

    published = messages[: publisher.published]
    assert_recounted(published, tmp_path, transferscope.database_url, note=f"seed {SEED}, {len(published)} messages")
    assert transferscope.json("verify")["differing"] == 0
    for running in (*workers, *others.values()):
        assert "Traceback" not in running.said()
