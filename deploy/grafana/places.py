"""What each dashboard about sites and countries shows."""

from __future__ import annotations

from deploy.grafana import blocks as b
from deploy.grafana import queries as q
from deploy.grafana.parts import Board, Field, Json, constant, efficiency_steps, link, note, offered, one, series, table


def site(web: str) -> Board:
    """Is a site fine, in and out?"""
    variables = [
        one("site", "Site", "SELECT DISTINCT site FROM report.place ORDER BY 1", "The site that is looked at."),
        q.TECHNOLOGY,
        q.VO,
        q.FTS,
        q.BIN,
        constant("web", web),
    ]
    board = Board("transferscope-site", "transferscope / Site", "Is a site fine, in and out?", variables)
    mine = f"{q.WHO} AND site = ${{site:sqlstring}}"
    page = link("Page of the site", "/sites/${site:percentencode}", "")
    board.add(
        table(
            "Totals of the range",
            "local: both ends at the site; such transfers are in neither of the others.",
            f"""SELECT technology, direction, sum(bytes_moved) AS bytes_moved, sum(bytes) AS bytes, sum(ok) AS ok,
                    sum(failed) AS failed, sum(aborted) AS aborted, {q.EFFICIENCY} AS efficiency
                FROM {q.SITES} WHERE {q.IN_RANGE} AND {mine} GROUP BY 1, 2 ORDER BY 1, 2""",
            b.MEASURES,
            links=[page],
        ),
        24,
        5,
    )
    for direction, title, own, other in (("in", "Into", "dst", "src"), ("out", "Out of", "src", "dst")):
        board.heading(f"{title} ${{site}}")
        way = f"{mine} AND direction = '{direction}'"
        links = [link("Overview of this direction", "/", f"{own}=site:${{site:percentencode}}&{q.FILTERS}")]
        rate = q.stacked(f"sum(bytes_moved) / {q.SPAN_S}", way, "vo", q.SITES)
        board.add(
            series(
                "Throughput by VO", b.UNFINISHED, rate, "Bps", links=links, bars=True, stacked=True, vo_colours=True
            ),
            8,
        )
        board.add(b.outcomes("Finished attempts", way, links, q.SITES), 8)
        board.add(b.efficiency("Efficiency", way, links, "vo", q.SITES), 8)
        remote = f"{q.WHERE} AND {own}_site = ${{site:sqlstring}} AND {other}_site <> {own}_site"
        board.add(_partners(own, other, remote), 12)
        failing = f"{q.WHERE} AND {own}_host IN (SELECT host FROM report.place WHERE site = ${{site:sqlstring}})"
        board.add(b.templates(failing, 10), 12)
    board.heading("Hosts")
    board.add(
        table(
            "Hosts of the site",
            "Hosts that windows have under this site.",
            "SELECT host, country FROM report.place WHERE site = ${site:sqlstring} ORDER BY 1, 2",
            [Field("host", links=(link("Out of this host", "/", "src=host:${__value.raw:percentencode}"),))],
        ),
        24,
        6,
    )
    return board


def matrix(web: str) -> Board:
    """Where is it bad?"""
    level = offered("level", "Level", ("country", "site"), "What the rows and columns are.")
    variables = [level, q.VO, q.FTS, q.BIN, constant("web", web)]
    board = Board("transferscope-matrix", "transferscope / Matrix", "Where is it bad?", variables)
    whole = link(
        "Whole matrix", "/matrix", "technology=fts&rows=${level:raw}&cols=${level:raw}&${vo:customqueryparam:vo}"
    )
    cell = link(
        "This pair",
        "/links",
        "src=${level:raw}:${__data.fields[0]:percentencode}&dst=${level:raw}:${__field.name:percentencode}",
    )
    board.add(
        note(
            "Rows send, columns receive. The 30 sources and 30 destinations with most bytes;"
            " the link **Whole matrix** leads to all."
        ),
        24,
        2,
    )
    for title, measure, unit, about in (
        (
            "Efficiency",
            q.EFFICIENCY,
            "percentunit",
            f"ok / (ok + failed) of fts; blank where fewer than {b.FEW} finished.",
        ),
        ("Throughput", f"sum(bytes_moved) / {q.RANGE_S}", "Bps", "Bytes moved over the range."),
    ):
        colours: Json = {"unit": unit}
        having = ""
        if unit == "percentunit":
            having = f"HAVING sum(ok) + sum(failed) >= {b.FEW}"
            colours |= {"thresholds": {"mode": "absolute", "steps": list(efficiency_steps())}}
            colours["custom"] = {"align": "center", "cellOptions": {"type": "color-background", "mode": "basic"}}
        board.add(
            table(
                title,
                about,
                _pairs(measure, having),
                links=[cell, whole],
                transformations=[
                    {
                        "id": "groupingToMatrix",
                        "options": {
                            "rowField": "source",
                            "columnField": "destination",
                            "valueField": "value",
                            "emptyValue": "null",
                        },
                    }
                ],
                defaults=colours,
            ),
            24,
            16,
        )
    return board


def _partners(own: str, other: str, where: str) -> Json:
    partner = link(
        "Link page",
        "/links",
        f"{own}=site:${{site:percentencode}}&{other}=site:${{__data.fields.partner:percentencode}}",
    )
    return table(
        "Partners",
        "The twenty sites with most bytes moved.",
        f"""SELECT technology, {other}_site AS partner, sum(bytes_moved) AS bytes_moved, sum(ok) AS ok,
                sum(failed) AS failed, {q.EFFICIENCY} AS efficiency
            FROM {q.LINKS} WHERE {q.IN_RANGE} AND {where} GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT 20""",
        b.MEASURES,
        links=[partner],
    )


def _pairs(measure: str, having: str) -> str:
    ends = "CASE ${{level:sqlstring}} WHEN 'country' THEN {0}_country ELSE {0}_site END"
    return f"""
        WITH counted AS (
            SELECT {ends.format("src")} AS source, {ends.format("dst")} AS destination, technology,
                sum(bytes) AS bytes, {measure} AS value
            FROM {q.LINKS} WHERE {q.IN_RANGE} AND technology = 'fts' AND vo IN (${{vo:sqlstring}})
                AND coalesce(fts, '-') IN (${{fts:sqlstring}})
            GROUP BY 1, 2, 3 {having}
        ), sources AS (SELECT source FROM counted GROUP BY 1 ORDER BY sum(bytes) DESC, 1 LIMIT 30),
        destinations AS (SELECT destination FROM counted GROUP BY 1 ORDER BY sum(bytes) DESC, 1 LIMIT 30)
        SELECT source, destination, value FROM counted
        WHERE source IN (SELECT source FROM sources) AND destination IN (SELECT destination FROM destinations)
        ORDER BY source, destination"""
