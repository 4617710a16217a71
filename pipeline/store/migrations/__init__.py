"""Schema versions: each step goes up and down, and the SQL of a step never changes once it is released.

Versions are four digits that rise. A step is applied beside running programs: it waits a second at most for what they
use, since everybody waits behind it meanwhile, and is tried again as a whole. What a step has to say of itself:
``oldest_program`` in its module, the oldest version whose programs work on with the tables as it leaves them; without
it there are none (``programs.py``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path

import psycopg2
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from pipeline.store import locks
from pipeline.store.session import YIELDS, Unavailable, connect, service_address
from pipeline.store.versions import current

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_APPLICATION = "transferscope init"
_ALONE = 0x7473_6D67
_LOOK_AGAIN_S = 0.2
_AGAIN_AFTER_S = 2.0
_PATIENCE_S = 300.0


class Occupied(Exception):
    """A step did not get the tables that it changes: others use them without a pause."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the tables have been in use for {_PATIENCE_S / 60:.0f} minutes ({why}), so they are as they were:"
            " run transferscope init again when recompute, export or a long report has ended"
        )


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_HERE))


def oldest_program(revision: str) -> str:
    """The oldest version whose programs work with the tables of this one: what its step says, and each before it."""
    steps = _scripts().iterate_revisions(revision, "base")
    return max(str(getattr(step.module, "oldest_program", step.revision)) for step in steps)


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring a database up to a version, step by step; does nothing when it is there already, or beyond.

    Each step is there whole or not at all, so it can be said again after a failure. Raises Unavailable, Occupied.
    """
    with _alone(database_url):
        version = current(database_url)
        for step in _missing(version, revision):
            # No batch is under way while a step is applied that some programs cannot stand; each later one sees it.
            shuts_out = version is None or oldest_program(step) > oldest_program(version)
            _insist(partial(command.upgrade, revision=step), database_url, is_alone=shuts_out)
            version = step


def downgrade(database_url: str, revision: str) -> None:
    """Take a database down to a version (``base``: empty). What newer versions stored is lost. Raises Unavailable,
    Occupied."""
    with _alone(database_url):
        _insist(partial(command.downgrade, revision=revision), database_url, is_alone=True)


def _missing(version: str | None, revision: str) -> list[str]:
    steps = [step.revision for step in _scripts().iterate_revisions(revision, "base")]
    return [step for step in reversed(steps) if version is None or step > version]


@contextmanager
def _alone(database_url: str) -> Iterator[None]:
    """No other migrator is at work. Asked again and again: who waits inside a statement holds a snapshot, and an index
    that is built concurrently waits for all of them."""
    with closing(connect(database_url, _APPLICATION)) as connection:
        while not locks.take_turn(connection, _ALONE):
            time.sleep(_LOOK_AGAIN_S)
        yield


def _insist(step: Callable[[Config], None], database_url: str, *, is_alone: bool) -> None:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["is_alone"] = is_alone
    config.attributes["engine"] = create_engine(
        "postgresql+psycopg2://",
        creator=lambda: connect(database_url, _APPLICATION, YIELDS),
        poolclass=NullPool,
    )
    deadline, is_first = time.monotonic() + _PATIENCE_S, True
    while True:
        try:
            return step(config)
        except (OperationalError, psycopg2.OperationalError) as error:
            cause = error.orig if isinstance(error, OperationalError) else error
            why = str(cause).strip().partition("\n")[0]
            if not isinstance(cause, psycopg2.errors.LockNotAvailable | psycopg2.errors.DeadlockDetected):
                raise Unavailable("PostgreSQL", service_address(database_url), str(cause).strip()) from error
            if time.monotonic() > deadline:
                raise Occupied(why) from error
            if is_first:
                log.warning("the tables are in use (%s): tried again every %.0f s", why, _AGAIN_AFTER_S)
            is_first = False
            time.sleep(_AGAIN_AFTER_S)
