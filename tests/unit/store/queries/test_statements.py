"""Questions as SQL: values are bound, names are known, groups sum what can be summed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from pipeline.store.queries.answer import columns_of, statement
from pipeline.store.queries.conditions import like_pattern
from pipeline.store.queries.instants import to_datetime
from pipeline.store.queries.question import Question, parse_condition, parse_order, report_named

NOW = 1_795_311_600_000


def asked(report: str, **fields: Any) -> Question:
    where = tuple(parse_condition(report_named(report), text, NOW) for text in fields.pop("where", ()))
    return Question(report=report_named(report), now_ms=NOW, where=where, **fields)


def sql(question: Question) -> tuple[str, dict[str, Any]]:
    compiled = statement(question).select.compile(
        dialect=PGDialect_psycopg2(),  # type: ignore[no-untyped-call]
        compile_kwargs={"render_postcompile": True},
    )
    return str(compiled), dict(compiled.params)


EVIL = "x'; DROP TABLE store.transfer; --%s"


@pytest.mark.parametrize("operator", ["=", "!=", "~", "!~"])
def test_values_never_stand_in_the_text_of_the_statement(operator: str) -> None:
    text, parameters = sql(asked("links", where=[f"vo{operator}{EVIL}"]))
    assert "DROP" not in text
    assert any("DROP" in str(value) for value in parameters.values())


def test_the_range_is_rounded_outward_to_window_edges() -> None:
    question = asked("links", from_ms=NOW - 1, to_ms=NOW + 1, width="1h")
    found = statement(question)
    assert (found.from_ms, found.to_ms) == (NOW - 2_400_000, NOW + 1_200_000)
    text, parameters = sql(question)
    assert "FROM report.link_1h" in text
    assert {to_datetime(NOW - 2_400_000), to_datetime(NOW + 1_200_000)} <= set(parameters.values())


def test_single_rows_keep_the_range_as_it_was_asked() -> None:
    found = statement(asked("transfers", from_ms=NOW - 1, to_ms=NOW + 1))
    assert (found.from_ms, found.to_ms) == (NOW - 1, NOW + 1)


def test_windows_without_groups_are_read_as_they_are() -> None:
    text, _ = sql(asked("channels", where=["failed>3"]))
    assert "FROM report.channel_10m" in text
    assert "GROUP BY" not in text
    assert "WHERE report.channel_10m.failed > " in text


def test_channels_over_many_windows_count_distinct_pairs_of_hosts() -> None:
    text, _ = sql(asked("channels", by=("technology", "vo")))
    assert "count(DISTINCT (report.link_10m.src_host, report.link_10m.dst_host)) AS links" in text


def test_conditions_on_sums_are_checked_after_adding_up_and_those_on_keys_before() -> None:
    text, _ = sql(asked("links", by=("technology", "vo"), where=["failed>3", "vo=atlas"]))
    before, _, after = text.partition("GROUP BY")
    assert "report.link_10m.vo = " in before.partition("WHERE")[2]
    assert "HAVING sum(report.link_10m.failed) > " in after


def test_several_equals_on_one_column_mean_any_and_all_else_means_all() -> None:
    text, _ = sql(asked("transfers", where=["vo=atlas", "vo=cms", "state!=ok", "state!=failed"]))
    condition = text.partition("WHERE")[2]
    assert "report.transfer.vo = %(vo_1)s OR report.transfer.vo = %(vo_2)s" in condition
    assert condition.count("IS DISTINCT FROM") == 2
    assert condition.count(" OR ") == 1


def test_nothing_after_equals_means_none() -> None:
    text, _ = sql(asked("links", where=["channel="]))
    assert "report.link_10m.channel IS NULL" in text


def test_throughput_of_a_group_needs_a_range_and_ends_now() -> None:
    unknown, _ = sql(asked("links", by=("technology",)))
    assert "CAST(NULL AS DOUBLE PRECISION) AS throughput" in unknown
    _, parameters = sql(asked("links", by=("technology",), from_ms=NOW - 7_200_000, to_ms=NOW + 86_400_000))
    assert 7_200_000 in parameters.values()


@pytest.mark.parametrize("by", [(), ("technology", "vo")])
def test_stages_add_count_mean_and_quantiles_of_each(by: tuple[str, ...]) -> None:
    columns = columns_of(asked("links", by=by, stages=True))
    names = [column.name for column in columns]
    assert len(names) == len(set(names))
    for stage in ("streaming", "total", "srm_prep", "srm_fin", "checksum_src", "checksum_dst", "throughput"):
        for part in ("count", "mean", "p50", "p95"):
            assert f"{stage}_{part}" in names
        at = names.index(f"{stage}_count")
        assert names[at : at + 4] == [f"{stage}_{part}" for part in ("count", "mean", "p50", "p95")]
    kinds = {column.name: column.kind for column in columns}
    assert (kinds["streaming_p95"], kinds["throughput_p95"], kinds["throughput_count"]) == ("ms", "rate", "count")


@pytest.mark.parametrize("report", ["links", "channels", "transfers", "in-flight", "dead-letters"])
def test_every_column_of_an_answer_can_be_sorted_by(report: str) -> None:
    names = [column.name for column in statement(asked(report)).columns]
    for name in names:
        text, _ = sql(asked(report, order=parse_order(names, [f"-{name}"])))
        assert "DESC NULLS LAST" in text


@given(st.text())
def test_only_stars_and_question_marks_are_wild(text: str) -> None:
    pattern = like_pattern(text)
    literal = pattern.replace("\\\\", "").replace("\\%", "").replace("\\_", "")
    assert literal.count("%") == text.count("*")
    assert literal.count("_") == text.count("?")
