"""The pieces that the SQL of the panels is made of, and the variables that they use."""

from __future__ import annotations

from deploy.grafana.parts import Json, chosen, link, offered, text
from pipeline.store.queries.reports import REPORTS_FAILURES

LINKS = "report.link_${bin:raw}"
SITES = "report.vo_site_${bin:raw}"
SPAN = "${bin:sqlstring}::interval"
RANGE_S = "extract(epoch FROM least(now(), $__timeTo()::timestamptz) - $__timeFrom()::timestamptz)"
WEEK = "interval '7 days'"
SPAN_S = f"extract(epoch FROM {SPAN})"

# Grafana's own filter takes the window that begins at the end of the range, too: it is not in the range.
IN_RANGE = "$__timeFilter(window_start) AND window_start < $__timeTo()"
ENDED = f"window_start + {SPAN} <= now()"
ENDED_10M = "window_start + interval '10 minutes' <= now()"

WHO = "technology IN (${technology:sqlstring}) AND vo IN (${vo:sqlstring})"
WHERE = f"{WHO} AND coalesce(fts, '-') IN (${{fts:sqlstring}})"
FTS_WHERE = "coalesce(fts, '-') IN (${fts:sqlstring}) AND vo IN (${vo:sqlstring})"

_REPORTING = ", ".join(f"'{name}'" for name in REPORTS_FAILURES)
EFFICIENCY = (
    f"CASE WHEN technology IN ({_REPORTING}) THEN sum(ok)::double precision / nullif(sum(ok) + sum(failed), 0) END"
)

GROUP = (
    "CASE ${group_by:sqlstring} WHEN 'vo' THEN vo WHEN 'fts' THEN coalesce(fts, '') WHEN 'technology' THEN technology"
    " WHEN 'src' THEN src_site WHEN 'dst' THEN dst_site END"
)

FILTERS = "${technology:customqueryparam:technology}&${vo:customqueryparam:vo}"
OVERVIEW = link("Overview of this range", "/", FILTERS)
SERIES_LINK = link(
    "This series alone",
    "/",
    "technology=${__field.labels.technology:percentencode}&${group_by:raw}=${__field.labels.name:percentencode}",
)
LINK_PAGE = link(
    "Link page",
    "/links",
    "src=host:${__data.fields.src_host:percentencode}&dst=host:${__data.fields.dst_host:percentencode}",
)

TECHNOLOGY = chosen(
    "technology",
    "Technology",
    "SELECT DISTINCT technology FROM report.party ORDER BY 1",
    "Never added up: one movement of bytes may be told by two technologies.",
)
VO = chosen("vo", "VO", "SELECT DISTINCT vo FROM report.party ORDER BY 1", "Virtual organisations.")
FTS = chosen(
    "fts",
    "FTS",
    "SELECT DISTINCT coalesce(fts, '-') FROM report.party ORDER BY 1",
    "FTS instances; - stands for technologies without one.",
)
BIN = offered("bin", "Bin", ("10m", "1h", "1d"), "Width of the windows: chooses the view that is read.")
GROUP_BY = offered(
    "group_by", "Group by", ("vo", "technology", "fts", "src", "dst"), "src and dst are the sites of the two ends."
)


def places(side: str, kind: str, label: str) -> Json:
    """The variable of the sites or countries of one side."""
    sql = f"SELECT DISTINCT {kind} FROM report.place ORDER BY 1"
    return chosen(f"{side}_{kind}", label, sql, f"{kind.capitalize()} of the {_SIDES[side]}.")


def host(side: str) -> Json:
    """The variable of the hosts of one side: there are too many to choose from."""
    return text(
        f"{side}_host", f"{_SIDES[side].capitalize()} host", "Part of the name, in any case; empty: every host."
    )


def ends() -> str:
    """The condition on both ends of a link."""
    parts = []
    for side in _SIDES:
        parts += [f"{side}_{kind} IN (${{{side}_{kind}:sqlstring}})" for kind in ("country", "site")]
        parts.append(has_host(side))
    return " AND ".join(parts)


def has_host(side: str) -> str:
    """The condition on the host of one side."""
    return f"position(lower(${{{side}_host:sqlstring}}) IN {side}_host) > 0"


def within(side: str) -> str:
    """The condition on one side of rows that have hosts, but neither sites nor countries."""
    places_ = " AND ".join(f"{kind} IN (${{{side}_{kind}:sqlstring}})" for kind in ("country", "site"))
    return f"{side}_host IN (SELECT host FROM report.place WHERE {places_}) AND {has_host(side)}"


def stacked(measure: str, where: str, group: str = GROUP, source: str = LINKS) -> str:
    """A measure over time: the eight largest groups, and all others as one."""
    return f"""
        WITH counted AS (
            SELECT window_start, technology, {group} AS name, {measure} AS value FROM {source}
            WHERE {IN_RANGE} AND {ENDED} AND {where} GROUP BY 1, 2, 3
        ), largest AS (SELECT name FROM counted GROUP BY name ORDER BY sum(value) DESC NULLS LAST, name LIMIT 8)
        SELECT window_start AS time, technology,
            CASE WHEN name IN (SELECT name FROM largest) THEN name ELSE 'other' END AS name, sum(value) AS value
        FROM counted GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def rate(where: str, group: str = GROUP) -> str:
    """Throughput over time."""
    return stacked(f"sum(bytes_moved) / {SPAN_S}", where, group)


def week_before(where: str) -> str:
    """Throughput over time of each technology, and that of the same windows a week before as far as they have ended."""
    return f"""
        SELECT window_start AS time, technology, 'this week' AS name, sum(bytes_moved) / {SPAN_S} AS value
        FROM {LINKS} WHERE {IN_RANGE} AND {ENDED} AND {where} GROUP BY 1, 2
        UNION ALL
        SELECT window_start + {WEEK}, technology, 'a week before', sum(bytes_moved) / {SPAN_S}
        FROM {LINKS}
        WHERE window_start >= $__timeFrom()::timestamptz - {WEEK} AND window_start < $__timeTo()::timestamptz - {WEEK}
            AND window_start + {WEEK} + {SPAN} <= now() AND {where}
        GROUP BY 1, 2 ORDER BY 1, 2, 3"""


def outcomes(where: str, source: str = LINKS) -> str:
    """Attempts over time, by outcome."""
    return f"""
        SELECT window_start AS time, technology, sum(ok) AS ok, sum(failed) AS failed, sum(aborted) AS aborted
        FROM {source} WHERE {IN_RANGE} AND {ENDED} AND {where} GROUP BY 1, 2 ORDER BY 1, 2"""


def efficiency(where: str, group: str = GROUP, source: str = LINKS) -> str:
    """Efficiency over time; windows in which nothing finished have none."""
    return f"""
        SELECT window_start AS time, technology, {group} AS name, {EFFICIENCY} AS value FROM {source}
        WHERE {IN_RANGE} AND {ENDED} AND {where} AND technology IN ({_REPORTING}) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def totals(where: str) -> str:
    """Sums of the range, a row a technology, with the unfinished window: those of ``/api/v1/summary``."""
    return f"""
        SELECT technology, sum(bytes_moved) AS bytes_moved, sum(bytes) AS bytes, sum(ok) AS ok, sum(failed) AS failed,
            sum(aborted) AS aborted, {EFFICIENCY} AS efficiency, count(DISTINCT (src_host, dst_host)) AS links,
            sum(bytes_moved) / greatest({RANGE_S}, 1) AS throughput,
            count(*) FILTER (WHERE final_at IS NULL) AS not_final
        FROM {LINKS} WHERE {IN_RANGE} AND {where} GROUP BY 1 ORDER BY 1"""


def ranked(where: str, order: str, having: str = "true") -> str:
    """The first links in an order, with all measures."""
    return f"""
        SELECT technology, src_site, src_host, dst_site, dst_host, sum(bytes_moved) AS bytes_moved, sum(ok) AS ok,
            sum(failed) AS failed, sum(aborted) AS aborted, {EFFICIENCY} AS efficiency
        FROM {LINKS} WHERE {IN_RANGE} AND {where} GROUP BY 1, 2, 3, 4, 5 HAVING {having}
        ORDER BY {order}, src_host, dst_host LIMIT 10"""


_SIDES = {"src": "source", "dst": "destination"}
