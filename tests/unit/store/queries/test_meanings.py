"""Every column that an answer can have says what it means."""

from __future__ import annotations

import pytest

from pipeline.store.queries.answer import columns_of
from pipeline.store.queries.meanings import meaning
from pipeline.store.queries.quality import SECTIONS
from pipeline.store.queries.question import Question
from pipeline.store.queries.reports import BACKLOG, HOSTS, REPORTS, Report


@pytest.mark.parametrize("report", [*REPORTS.values(), HOSTS, BACKLOG], ids=lambda report: report.name)
def test_every_column_of_every_report_has_a_meaning(report: Report) -> None:
    for by in ((), report.keys):
        for stages in {False, bool(report.stages)}:
            asked = Question(report=report, now_ms=0, by=by, stages=stages, quantiles=(0.5, 0.999))
            silent = [column.name for column in columns_of(asked) if not meaning(column.name)]
            assert silent == []


@pytest.mark.parametrize("name", SECTIONS)
def test_every_column_of_quality_has_a_meaning(name: str) -> None:
    assert [column.name for column in SECTIONS[name].columns if not meaning(column.name)] == []


def test_a_percentile_is_named_in_its_meaning_and_a_stranger_has_none() -> None:
    assert "99.9 %" in str(meaning("total_p99.9"))
    assert meaning("src_site") == "Site of the source."
    assert [meaning(name) for name in ("planet", "streaming_planet", "src_planet", "p50")] == [None] * 4
