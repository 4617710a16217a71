"""The histogram functions of the database say what ``schemas.histogram`` says."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest import Ingest
from schemas.histogram import bin_of, lower_edge
from schemas.topics import FTS_COMPLETE
from tests.support import postgres
from tests.support.database import Database
from tests.support.fts_messages import MINUTE, T, complete_fields, raw

pytestmark = pytest.mark.stack

HIGHEST = 2**63 - 1
LAST_BIN = bin_of(HIGHEST)
VALUES = st.one_of(st.integers(min_value=0, max_value=HIGHEST), st.integers(min_value=0, max_value=5000))


@pytest.fixture(scope="module")
def functions(template_url: str) -> Iterator[Database]:
    with postgres.copy_of(template_url) as url, closing(Database(url)) as database:
        yield database


def dense(values: list[int]) -> list[int]:
    counts = Counter(map(bin_of, values))
    return [counts[number] for number in range(max(counts, default=-1) + 1)]


def test_edges_and_bins_agree_over_the_whole_scale(functions: Database) -> None:
    edges = functions.value(
        "SELECT array_agg(report.hist_edge(n) ORDER BY n) FROM generate_series(0, %s) n", [LAST_BIN]
    )
    assert edges == [lower_edge(number) for number in range(LAST_BIN + 1)]
    probes = sorted({value for edge in edges for value in (edge - 1, edge, edge + 1) if value >= 0} | {HIGHEST})
    bins = functions.value(
        "SELECT array_agg(report.hist_bin(v) ORDER BY n) FROM unnest(%s::bigint[]) WITH ORDINALITY AS p(v, n)", [probes]
    )
    assert bins == [bin_of(value) for value in probes]


@given(st.lists(VALUES, max_size=20), st.lists(VALUES, max_size=20), st.lists(VALUES, max_size=20))
@settings(max_examples=60, deadline=None)
def test_histograms_add_up_in_any_order(functions: Database, a: list[int], b: list[int], c: list[int]) -> None:
    added = functions.value("SELECT report.hist_add(%s::bigint[], %s::bigint[])", [dense(a), dense(b)])
    assert added == dense(a + b)
    for order in ((a, b, c), (c, a, b)):
        rows = [[dense(values)] for values in order]
        summed = functions.value(
            "SELECT report.hist_sum(h::bigint[]) FROM (VALUES (%s), (%s), (%s)) AS v(h)", [row[0] for row in rows]
        )
        assert summed == dense(a + b + c)


@given(st.lists(VALUES, min_size=1, max_size=40), st.floats(min_value=0, max_value=1))
@settings(max_examples=150, deadline=None)
def test_a_quantile_lies_in_the_bin_of_the_value_at_that_rank(
    functions: Database, values: list[int], share: float
) -> None:
    found = functions.value("SELECT report.hist_quantile(%s::bigint[], %s)", [dense(values), share])
    ranked = sorted(values)
    # The value at the rank, or at the next one where the rank falls between two.
    least = ranked[max(0, int(share * len(ranked) - 1e-9) - 1)]
    most = ranked[min(len(ranked) - 1, int(share * len(ranked) + 1e-9))]
    assert lower_edge(bin_of(least)) * (1 - 1e-9) <= found <= lower_edge(bin_of(most) + 1) * (1 + 1e-9)


@given(st.lists(VALUES, min_size=1, max_size=40), st.lists(st.floats(min_value=0, max_value=1), min_size=2, max_size=5))
@settings(max_examples=60, deadline=None)
def test_quantiles_rise_with_the_share(functions: Database, values: list[int], shares: list[float]) -> None:
    found = [
        functions.value("SELECT report.hist_quantile(%s::bigint[], %s)", [dense(values), share])
        for share in sorted(shares)
    ]
    assert found == sorted(found)
    assert bisect.bisect_left(found, 0) == 0


@pytest.mark.parametrize(
    ("values", "share", "quantile"),
    [
        ([3] * 4, 0.5, 3.5),
        ([0, 1, 2, 3], 0.5, 2.0),
        ([0, 1, 2, 3], 0.0, 0.0),
        ([0, 1, 2, 3], 1.0, 4.0),
        ([0, 1, 2, 3], 7.0, 4.0),
        ([0, 1, 2, 3], -1.0, 0.0),
        ([1000] * 10, 0.95, 960 + 64 * 0.95),
    ],
)
def test_known_quantiles(functions: Database, values: list[int], share: float, quantile: float) -> None:
    found = functions.value("SELECT report.hist_quantile(%s::bigint[], %s)", [dense(values), share])
    assert found == pytest.approx(quantile)


@pytest.mark.parametrize("histogram", ["'{}'", "NULL", "'{0,0,0}'"])
def test_nothing_has_no_quantile(functions: Database, histogram: str) -> None:
    assert functions.value(f"SELECT report.hist_quantile({histogram}::bigint[], 0.5)") is None


def test_a_window_shows_the_histograms_of_its_batches_and_narrower_windows(ingest: Ingest, database: Database) -> None:
    lengths = [5_000, 7_000, 7_001, 900_000]
    for number, length in enumerate(lengths):
        end = T + (20 + number * 11) * MINUTE
        fields = complete_fields(
            file_id=number,
            tr_id=f"id-{number}",
            tr_timestamp_complete=end,
            timestamp_tr_st=end - length,
            timestamp_tr_comp=end,
        )
        ingest.process([raw(FTS_COMPLETE, fields, identity=str(number))])
    assert database.value("SELECT report.hist_sum(streaming_hist) FROM report.link_10m") == dense(lengths)
    assert database.ask("SELECT streaming_hist FROM report.link_1h") == [(dense(lengths),)]
    assert database.ask("SELECT streaming_hist FROM report.channel_1d") == [(dense(lengths),)]
    assert database.value("SELECT report.hist_quantile(streaming_hist, 1) FROM report.link_1d") >= 900_000
