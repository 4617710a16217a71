"""Blocks that several dashboards have."""

from __future__ import annotations

from deploy.grafana import queries as q
from deploy.grafana.parts import BLUE, GREY, RED, Field, Json, efficiency_steps, link, series, table
from pipeline.web.config import Thresholds

FEW = Thresholds().few
GAP = "Nothing is drawn where there is nothing: see Messages heard for whether that was silence or rest."
UNFINISHED = "The window that holds now is left out until it has ended."

OUTCOMES = (
    Field("ok", "short", colour=BLUE),
    Field("failed", "short", colour=RED),
    Field("aborted", "short", colour=GREY),
)
MEASURES = (
    Field("bytes_moved", "decbytes", title="bytes moved"),
    Field("bytes", "decbytes", title="volume finished"),
    Field("throughput", "Bps"),
    Field("efficiency", "percentunit", steps=efficiency_steps()),
    *(Field(name, "short") for name in ("ok", "failed", "aborted", "links")),
    Field("not_final", "short", title="rows not final"),
)
COLUMN = "${__field.labels.technology} · ${__field.name}"
ERRORS_PAGE = link("Errors of this range", "/errors", q.FILTERS)


def open_alerts() -> Json:
    """Findings that nobody has cleared."""
    return table(
        "Open alerts",
        "Raised and not cleared, at this moment.",
        """SELECT raised_at, rule, subject, value, threshold, silenced_until FROM report.alert
            WHERE cleared_at IS NULL ORDER BY raised_at DESC LIMIT 100""",
        times("raised_at", "silenced_until"),
        links=[link("Alerts", "/alerts", "")],
    )


def times(*names: str) -> list[Field]:
    return [Field(name, "dateTimeAsIso") for name in names]


def freshness() -> Json:
    steps: tuple[Json, ...] = ({"value": None, "color": "transparent"}, {"value": 1200, "color": "#e07b2a"})
    return table(
        "Freshness",
        "Age of the newest event of each source; marked from 20 minutes on.",
        """SELECT source, extract(epoch FROM now() - last_event_at) AS event_age,
                extract(epoch FROM now() - last_received_at) AS received_age
            FROM report.freshness ORDER BY 2 DESC NULLS FIRST, 1""",
        [Field("event_age", "s", steps=steps, title="event age"), Field("received_age", "s", title="received")],
        links=[q.OVERVIEW],
    )


def outcomes(title: str, where: str, links: list[Json], source: str = q.LINKS) -> Json:
    sql = q.outcomes(where, source)
    about = f"Attempts by outcome. {UNFINISHED}"
    return series(title, about, sql, "short", links=links, name=COLUMN, bars=True, stacked=True, fields=OUTCOMES)


def efficiency(title: str, where: str, links: list[Json], group: str = q.GROUP, source: str = q.LINKS) -> Json:
    about = "ok / (ok + failed) of technologies that report failures. A gap: nothing finished."
    return series(title, about, q.efficiency(where, group, source), "percentunit", links=links, most=1, vo_colours=True)


def links(title: str, about: str, order: str, having: str, where: str = q.WHERE) -> Json:
    return table(title, about, q.ranked(where, order, having), MEASURES, links=[q.LINK_PAGE])


def templates(where: str, most: int) -> Json:
    kinds = link(
        "This cause",
        "/errors",
        "category=${__data.fields.category:percentencode}&scope=${__data.fields.scope:percentencode}",
    )
    return table(
        "Causes of failures",
        "Kinds of failure by how often; messages are shown as templates, without their variable parts.",
        f"""SELECT sum(count) AS failed, scope, phase, category, code, template,
                count(DISTINCT (src_host, dst_host)) AS links, min(window_start) AS first, max(window_start) AS last
            FROM report.error_10m WHERE {q.IN_RANGE} AND {where} GROUP BY scope, phase, category, code, template
            ORDER BY 1 DESC, 2, 3, 4, 5, 6 LIMIT {most}""",
        [Field("failed", "short", width=80), Field("links", "short", width=70), *times("first", "last")],
        links=[kinds, ERRORS_PAGE],
    )
