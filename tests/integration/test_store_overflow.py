"""Sizes that nobody believes: each fits its own column, their sums do not, and no view may fail because of them."""

from __future__ import annotations

import pytest

from pipeline.ingest import Ingest
from schemas.topics import FTS_COMPLETE
from tests.support.database import Database
from tests.support.fts_messages import complete_fields, raw
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

LARGEST = 2**63 - 1
SIZE, EACH = 9 * 10**15, 550
WIDTHS = ("10m", "1h", "1d")


@pytest.fixture
def bogus(ingest: Ingest, database: Database) -> Database:
    """550 transfers of 9 PB on each of two links of one channel, in one window: together more than a bigint holds."""
    messages = [
        raw(
            FTS_COMPLETE,
            complete_fields(
                file_id=number,
                tr_id=f"id{number}",
                tr_bt_transfered=SIZE,
                t_channel="A-B",
                dst_hostname=f"se{number % 2}.y.org",
                file_metadata={"activity": f"activity {number % 2}"},
            ),
            identity=f"{number}",
        )
        for number in range(2 * EACH)
    ]
    assert ingest.process(messages).dead == 0
    return database


@pytest.mark.parametrize("view", [f"{kind}_{width}" for kind in ("vo_link", "vo_site") for width in WIDTHS])
def test_views_of_vos_show_the_largest_number_instead_of_failing(bogus: Database, view: str) -> None:
    rows = bogus.ask(f"SELECT bytes, bytes_moved, share FROM report.{view}")
    expected = (EACH * SIZE, EACH * SIZE, 1.0) if "link" in view else (LARGEST, LARGEST, 1.0)
    assert set(rows) == {expected}


def test_questions_add_up_beyond_what_a_window_holds(bogus: Database, shell: Shell) -> None:
    (channel,) = shell.json("query", "channels", "--by", "channel")
    (links,) = shell.json("query", "links", "--by", "vo")
    assert channel["bytes"] == links["bytes"] == 2 * EACH * SIZE
    assert shell.json("verify")["differing"] == 0


@pytest.mark.parametrize("view", [f"{kind}_{width}" for kind in ("channel", "endpoint") for width in WIDTHS])
def test_views_of_sums_show_the_largest_number_instead_of_failing(bogus: Database, view: str) -> None:
    assert bogus.ask(f"SELECT bytes, bytes_ok, bytes_moved FROM report.{view}") == [(LARGEST, LARGEST, LARGEST)]
    assert bogus.value(f"SELECT sum(ok)::int FROM report.{view}") == 2 * EACH
