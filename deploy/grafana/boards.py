"""What each dashboard about links and their failures shows."""

from __future__ import annotations

from deploy.grafana import blocks as b
from deploy.grafana import queries as q
from deploy.grafana.parts import BLUE, RED, Board, Field, Json, constant, link, series, table
from schemas.events import STAGES


def overview(web: str) -> Board:
    """Is data moving, and is what is shown current?"""
    variables = [q.TECHNOLOGY, q.VO, q.FTS, q.GROUP_BY, q.BIN, constant("web", web)]
    board = Board(
        "transferscope-overview", "transferscope / Overview", "Is data moving normally, and is this current?", variables
    )
    board.add(
        table(
            "Totals of the range",
            "A row a technology, never added up over two. Windows that begin in the range, with the unfinished one.",
            q.totals(q.WHERE),
            b.MEASURES,
            links=[q.OVERVIEW],
        ),
        16,
        5,
    )
    board.add(b.freshness(), 8, 5)
    board.add(
        series(
            "Throughput",
            f"Bytes moved over the width of the window. {b.UNFINISHED} {b.GAP}",
            q.rate(q.WHERE),
            "Bps",
            links=[q.SERIES_LINK, q.OVERVIEW],
            bars=True,
            stacked=True,
            vo_colours=True,
        ),
        24,
        9,
    )
    board.add(
        series(
            "Throughput beside a week before",
            f"All groups together, and the same windows seven days earlier. {b.UNFINISHED}",
            q.week_before(q.WHERE),
            "Bps",
            links=[q.OVERVIEW],
            earlier="a week before",
        ),
        24,
    )
    board.add(b.outcomes("Finished attempts", q.WHERE, [q.OVERVIEW]))
    board.add(b.efficiency("Efficiency", q.WHERE, [q.SERIES_LINK, q.OVERVIEW]))
    board.add(
        series(
            "Messages heard",
            "Messages by the window in which they were received. A gap: this source was silent.",
            f"""SELECT window_start AS time, source, received AS value FROM report.source_10m
                WHERE {q.IN_RANGE} AND {q.ENDED_10M} ORDER BY 1, 2""",
            "short",
            links=[q.OVERVIEW],
            name="${__field.labels.source}",
            bars=True,
            stacked=True,
        ),
        24,
        6,
    )
    enough = f"sum(failed) > 0 AND sum(ok) + sum(failed) >= {b.FEW}"
    board.add(
        b.links("Worst links", f"Most failures, of links with {b.FEW} finished or more.", "sum(failed) DESC", enough)
    )
    board.add(b.links("Busiest links", "Most bytes moved.", "sum(bytes_moved) DESC", "true"))
    board.add(b.templates(q.WHERE, 5), 12)
    board.add(b.open_alerts(), 12)
    return board


def one_link(web: str) -> Board:
    """What happens between two places, and why?"""
    sides = ("src", "dst")
    places = [
        q.places(side, kind, f"{name} {kind}")
        for side, name in zip(sides, ("Source", "Destination"), strict=True)
        for kind in ("country", "site")
    ]
    variables = [
        *places,
        q.host("src"),
        q.host("dst"),
        q.TECHNOLOGY,
        q.VO,
        q.FTS,
        q.GROUP_BY,
        q.BIN,
        constant("web", web),
    ]
    board = Board(
        "transferscope-link", "transferscope / Link", "From one place to another: what happens, and why?", variables
    )
    where = f"{q.WHERE} AND {q.ends()}"
    board.add(
        table("Totals of the range", "A row a technology.", q.totals(where), b.MEASURES, links=[q.OVERVIEW]), 24, 4
    )
    board.add(
        series(
            "Throughput",
            f"Bytes moved over the width of the window. {b.UNFINISHED}",
            q.rate(where),
            "Bps",
            links=[q.SERIES_LINK],
            bars=True,
            stacked=True,
            vo_colours=True,
        ),
        24,
    )
    board.add(b.outcomes("Finished attempts", where, [q.OVERVIEW]))
    board.add(b.efficiency("Efficiency", where, [q.SERIES_LINK]))
    board.add(
        b.links(
            "Links", "The ten with most bytes moved; a name leads to its page.", "sum(bytes_moved) DESC", "true", where
        ),
        24,
    )
    board.heading("Stages of ok attempts: they overlap, so they are never stacked")
    for stage in STAGES:
        board.add(_stage(stage, where), 8, 7)
    board.heading("Failures")
    board.add(b.templates(f"{q.WHERE} AND {q.within('src')} AND {q.within('dst')}", 20), 24)
    board.heading("Queues of the same hosts")
    board.add(
        series(
            "Active and ready",
            "The largest of each window, of FTS, source and destination. Not sampled is a gap, not 0.",
            f"""SELECT window_start AS time, fts, src_host || ' → ' || dst_host AS name,
                    max(active_max) AS active, max(ready_max) AS ready
                FROM report.queue_10m
                WHERE {q.IN_RANGE} AND coalesce(fts, '-') IN (${{fts:sqlstring}})
                    AND {q.within("src")} AND {q.within("dst")}
                GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 5000""",
            "short",
            links=[q.OVERVIEW],
            name="${__field.name} · ${__field.labels.fts} · ${__field.labels.name}",
        ),
        24,
    )
    return board


def errors(web: str) -> Board:
    """Which causes, and whose?"""
    variables = [q.TECHNOLOGY, q.VO, q.FTS, constant("web", web)]
    board = Board("transferscope-errors", "transferscope / Errors", "Which causes, and whose?", variables)
    for column in ("scope", "category"):
        sql = f"""
            WITH counted AS (
                SELECT window_start, technology, coalesce({column}, '') AS name, sum(count) AS value
                FROM report.error_10m WHERE {q.IN_RANGE} AND {q.ENDED_10M} AND {q.WHERE} GROUP BY 1, 2, 3
            ), largest AS (SELECT name FROM counted GROUP BY name ORDER BY sum(value) DESC, name LIMIT 8)
            SELECT window_start AS time, technology,
                CASE WHEN name IN (SELECT name FROM largest) THEN name ELSE 'other' END AS name, sum(value) AS value
            FROM counted GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
        alone = link(f"This {column} alone", "/errors", f"{column}=${{__field.labels.name:percentencode}}&{q.FILTERS}")
        board.add(
            series(
                f"Failed by {column}", b.UNFINISHED, sql, "short", links=[alone, b.ERRORS_PAGE], bars=True, stacked=True
            ),
            12,
            9,
        )
    board.add(b.templates(q.WHERE, 50), 24, 14)
    board.add(
        table(
            "Links with most failures",
            "Failures by pair of hosts, with how many kinds there were.",
            f"""SELECT technology, src_host, dst_host, sum(count) AS failed, count(DISTINCT template) AS templates,
                    min(window_start) AS first, max(window_start) AS last
                FROM report.error_10m WHERE {q.IN_RANGE} AND {q.WHERE} GROUP BY 1, 2, 3
                ORDER BY 4 DESC, 2, 3 LIMIT 50""",
            [Field("failed", "short"), Field("templates", "short"), *b.times("first", "last")],
            links=[q.LINK_PAGE],
        ),
        24,
        12,
    )
    return board


def _stage(stage: str, where: str) -> Json:
    rate = stage == "throughput"
    scale = "" if rate else " / 1000"
    columns = ", ".join(f"report.hist_quantile(hist, {p / 100}){scale} AS p{p}" for p in (50, 90, 99))
    sql = f"""
        SELECT window_start AS time, technology, {columns}
        FROM (
            SELECT window_start, technology, report.hist_sum({stage}_hist) AS hist FROM {q.LINKS}
            WHERE {q.IN_RANGE} AND {q.ENDED} AND {where} AND {stage}_count > 0 GROUP BY 1, 2
        ) AS merged ORDER BY 1, 2"""
    about = "Estimates from added histograms, at most 1/8 off. A gap: no ok attempt told it."
    title = {"srm_prep": "SRM preparation", "srm_fin": "SRM finalisation", "checksum_src": "Checksum at the source",
             "checksum_dst": "Checksum at the destination", "streaming": "Streaming", "total": "Total time",
             "throughput": "Throughput of a transfer"}[stage]  # fmt: skip
    fields = [Field(f"p{p}", colour=colour) for p, colour in ((50, BLUE), (90, "#e69f00"), (99, RED))]
    return series(title, about, sql, "Bps" if rate else "s", links=[q.OVERVIEW], name=b.COLUMN, fields=fields)
