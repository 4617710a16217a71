"""What each dashboard about the chain itself shows: queues, starts without an end, the data's quality."""

from __future__ import annotations

from deploy.grafana import queries as q
from deploy.grafana.blocks import open_alerts
from deploy.grafana.parts import BLUE, GREY, RED, Board, Field, Json, constant, link, series, table
from pipeline.stages.backlog import KNOWN_FOR_S

IN_FLIGHT = link("In flight and lost", "/transfers/in-flight", "${vo:customqueryparam:vo}")
QUALITY = link("Data quality", "/quality", "")
QUEUES = link("Queues", "/queues", "")
TIMES = "dateTimeAsIso"
BACKLOG_LIMIT = 5000


def queues(web: str) -> Board:
    """Does a queue pile up?"""
    board = Board(
        "transferscope-queues",
        "transferscope / Queues and backlog",
        "What waits: in brokers and Kafka, and at FTS link by link.",
        [q.VO, q.FTS, constant("web", web)],
    )
    board.add(_backlog(), 24, 10)
    board.add(_waiting_now(), 24, 10)
    where = "coalesce(fts, '-') IN (${fts:sqlstring}) AND (vo IS NULL OR vo IN (${vo:sqlstring}))"
    for name, about in (("active", "Active transfers"), ("ready", "Transfers ready to begin")):
        sql = f"""
            WITH counted AS (
                SELECT window_start, fts, src_host || ' → ' || dst_host AS name, max({name}_max) AS value
                FROM report.queue_10m WHERE {q.IN_RANGE} AND {where} AND src_host IS NOT NULL AND dst_host IS NOT NULL
                GROUP BY 1, 2, 3
            ), largest AS (SELECT fts, name FROM counted GROUP BY 1, 2
                ORDER BY max(value) DESC NULLS LAST, 1, 2 LIMIT 8)
            SELECT c.window_start AS time, c.fts, c.name, c.value
            FROM counted AS c JOIN largest AS l ON l.name = c.name AND l.fts IS NOT DISTINCT FROM c.fts
            ORDER BY 1, 2, 3"""
        board.add(
            series(
                about,
                "The largest sample of each window, of the eight links with most. Never added up: the same jobs stand"
                " under every VO and channel of a link. A gap: not sampled.",
                sql,
                "short",
                links=[QUEUES],
                name="${__field.labels.fts} · ${__field.labels.name}",
            ),
            12,
            10,
        )
    board.add(
        table(
            "Last samples of the range",
            "A row a VO, channel and link; both hosts empty: the total of the channel.",
            f"""SELECT DISTINCT ON (fts, vo, channel, src_host, dst_host) fts, vo, channel, src_host, dst_host, active,
                    ready, ratio / 100 AS of_limit, sampled_at
                FROM report.queue_sample WHERE {q.IN_RANGE} AND {where}
                ORDER BY fts, vo, channel, src_host, dst_host, sampled_at DESC LIMIT 500""",
            [
                Field("active", "short"),
                Field("ready", "short"),
                Field("of_limit", "percentunit", title="of the limit"),
                Field("sampled_at", TIMES),
            ],
            links=[q.LINK_PAGE],
        ),
        24,
        12,
    )
    board.add(open_alerts(), 24)
    return board


def _backlog() -> Json:
    at = "date_bin('5 minutes', sampled_at, 'epoch')"
    sql = f"""
        WITH counted AS (
            SELECT {at} AS time, kind, broker, name, max(depth) AS value FROM report.backlog
            WHERE $__timeFilter(sampled_at) AND sampled_at < $__timeTo() GROUP BY 1, 2, 3, 4
        ), largest AS (
            SELECT kind, broker, name FROM counted GROUP BY 1, 2, 3 ORDER BY max(value) DESC NULLS LAST, 1, 2, 3 LIMIT 8
        )
        SELECT time, kind, broker, name, value FROM counted JOIN largest USING (kind, broker, name)
        ORDER BY 1, 2, 3, 4"""
    return series(
        "Backlog of broker queues and consumer groups",
        "Messages that wait, the most of five minutes, of the eight with most. The line is backlog_limit as it comes;"
        " queues with a limit of their own may differ. A gap: not sampled.",
        sql,
        "short",
        links=[QUEUES],
        name="${__field.labels.kind} ${__field.labels.name} · ${__field.labels.broker}",
        limit=BACKLOG_LIMIT,
    )


def _waiting_now() -> Json:
    known = f"sampled_at > now() - interval '{KNOWN_FOR_S} seconds'"
    now = ", ".join(f"CASE WHEN {known} THEN {name} END AS {name}" for name in ("depth", "oldest_s", "consumers"))
    return table(
        "Queues and consumer groups now",
        f"Not sampled for {KNOWN_FOR_S} s: unknown, so empty. Expired and dead count since the broker's start.",
        f"""SELECT kind, broker, name, {now}, expired, dead, sampled_at FROM (
                SELECT DISTINCT ON (kind, broker, name) kind, broker, name, depth, oldest_s, consumers, expired, dead,
                    sampled_at FROM report.backlog WHERE $__timeFilter(sampled_at) AND sampled_at < $__timeTo()
                ORDER BY kind, broker, name, sampled_at DESC
            ) AS latest ORDER BY 4 DESC NULLS LAST, 1, 2, 3""",
        [
            Field(
                "depth",
                "short",
                steps=({"value": None, "color": "transparent"}, {"value": BACKLOG_LIMIT, "color": "#e07b2a"}),
            ),
            Field("oldest_s", "s", title="oldest"),
            *(Field(name, "short") for name in ("consumers", "expired", "dead")),
            Field("sampled_at", TIMES),
        ],
        links=[QUEUES],
    )


def in_flight(web: str) -> Board:
    """What hangs?"""
    board = Board(
        "transferscope-in-flight",
        "transferscope / In flight and lost",
        "Starts whose complete has not come.",
        [q.VO, q.FTS, constant("web", web)],
    )
    where = f"{q.IN_RANGE} AND {q.FTS_WHERE}"
    board.add(
        table(
            "Begun in the range and waiting now",
            "Lost: older than the setting lost_after_hours.",
            f"""SELECT sum(count) FILTER (WHERE NOT lost) AS in_flight, sum(count) FILTER (WHERE lost) AS lost,
                    extract(epoch FROM now() - min(oldest_at)) AS oldest
                FROM report.in_flight_10m WHERE {where}""",
            [
                Field("in_flight", "short", title="in flight"),
                Field("lost", "short"),
                Field("oldest", "s", title="oldest"),
            ],
            links=[IN_FLIGHT],
        ),
        8,
        5,
    )
    board.add(
        table(
            "By age",
            "How long they have waited.",
            f"""SELECT band, sum(count) AS starts FROM (
                    SELECT count, CASE WHEN oldest_at > now() - interval '1 hour' THEN '1: under 1 h'
                        WHEN oldest_at > now() - interval '6 hours' THEN '2: 1 to 6 h'
                        WHEN oldest_at > now() - interval '1 day' THEN '3: 6 to 24 h'
                        WHEN oldest_at > now() - interval '7 days' THEN '4: 1 to 7 days'
                        ELSE '5: over 7 days' END AS band
                    FROM report.in_flight_10m WHERE {where}
                ) AS banded GROUP BY 1 ORDER BY 1""",
            [Field("starts", "short")],
            links=[IN_FLIGHT],
        ),
        16,
        5,
    )
    board.add(
        series(
            "By the window in which they began",
            "Starts that still wait at this moment.",
            f"""SELECT window_start AS time, vo, CASE WHEN lost THEN 'lost' ELSE 'in flight' END AS name,
                    sum(count) AS value FROM report.in_flight_10m WHERE {where} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
            "short",
            links=[IN_FLIGHT],
            name="${__field.labels.vo} · ${__field.labels.name}",
            bars=True,
            stacked=True,
        ),
        24,
    )
    board.add(
        table(
            "By link",
            "The oldest first.",
            f"""SELECT vo, src_site, src_host, dst_site, dst_host, sum(count) FILTER (WHERE NOT lost) AS in_flight,
                    sum(count) FILTER (WHERE lost) AS lost, extract(epoch FROM now() - min(oldest_at)) AS oldest
                FROM report.in_flight_10m WHERE {where} GROUP BY 1, 2, 3, 4, 5
                ORDER BY min(oldest_at), 1, 3, 5 LIMIT 200""",
            [Field("in_flight", "short", title="in flight"), Field("lost", "short"), Field("oldest", "s")],
            links=[q.LINK_PAGE],
        ),
        24,
        14,
    )
    return board


def quality(web: str) -> Board:
    """Can these numbers be trusted?"""
    board = Board(
        "transferscope-quality",
        "transferscope / Pipeline and data quality",
        "Can the numbers be trusted, and is the chain behind?",
        [constant("web", web)],
    )
    heard = f"FROM report.source_10m WHERE {q.IN_RANGE} AND {q.ENDED_10M}"
    source = "${__field.labels.source}"
    board.add(
        series(
            "Messages by what became of them",
            "By the window in which they were received. A gap: nothing was received.",
            f"""SELECT window_start AS time, sum(stored) AS stored, sum(duplicate) AS duplicate, sum(dead) AS dead
                {heard} GROUP BY 1 ORDER BY 1""",
            "short",
            links=[QUALITY],
            name="",
            bars=True,
            stacked=True,
            fields=[Field("stored", colour=BLUE), Field("duplicate", colour=GREY), Field("dead", colour=RED)],
        )
    )
    board.add(
        series(
            "Received by source",
            "By the window in which they were received. A gap: this source was silent.",
            f"SELECT window_start AS time, source, received AS value {heard} ORDER BY 1, 2",
            "short",
            links=[QUALITY],
            name=source,
        )
    )
    for name, about in (("p50", "Half of the messages came in less"), ("max", "The latest message")):
        board.add(
            series(
                f"From event to receipt, {name}",
                f"{about}.",
                f"SELECT window_start AS time, source, lateness_{name}_s AS value {heard} ORDER BY 1, 2",
                "s",
                links=[QUALITY],
                name=source,
            )
        )
    board.add(_dead_letters(), 12)
    board.add(_mapping(), 12)
    for panel in _state():
        board.add(panel, 12, 7)
    board.add(open_alerts(), 24)
    return board


def _dead_letters() -> Json:
    return table(
        "Dead letters",
        "Messages that could not be used, by when they were received; waiting: not used after all.",
        f"""SELECT topic, reason, sum(count) AS died, sum(waiting) AS waiting, max(window_start) AS last
            FROM report.dead_letter_10m WHERE {q.IN_RANGE} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2""",
        [Field("died", "short"), Field("waiting", "short"), Field("last", TIMES)],
        links=[QUALITY],
    )


def _mapping() -> Json:
    return table(
        "How hosts were mapped",
        "Windows, hosts and finished transfers by how the topology found a side; hosts: the most of any window.",
        f"""SELECT technology, status, max(hosts) AS hosts, sum(transfers) AS transfers
            FROM report.mapping_10m WHERE {q.IN_RANGE} GROUP BY 1, 2 ORDER BY 1, 4 DESC, 2""",
        [Field("hosts", "short"), Field("transfers", "short")],
        links=[QUALITY],
    )


def _state() -> list[Json]:
    """Tables of how things stand now."""
    return [
        table(
            "Freshness",
            "Ages of the newest that was heard of each source.",
            """SELECT source, extract(epoch FROM now() - last_event_at) AS event,
                    extract(epoch FROM now() - last_received_at) AS received,
                    extract(epoch FROM now() - last_committed_at) AS committed
                FROM report.freshness ORDER BY 2 DESC NULLS FIRST, 1""",
            [Field(name, "s") for name in ("event", "received", "committed")],
            links=[QUALITY],
        ),
        table(
            "Final windows",
            "Up to when windows are final, and what keeps the next.",
            "SELECT topic, final_until, held_by, looked_at FROM report.finality ORDER BY 1",
            [Field("final_until", TIMES), Field("looked_at", TIMES)],
            links=[QUALITY],
        ),
        table(
            "Verifications",
            "Windows compared with the transfers below them: differing is 0 when all is well.",
            "SELECT run_at, window_from, window_to, cells, differing FROM report.verify_run ORDER BY 1 DESC LIMIT 20",
            [
                *(Field(name, TIMES) for name in ("run_at", "window_from", "window_to")),
                Field("cells", "short"),
                Field(
                    "differing",
                    "short",
                    steps=({"value": None, "color": "transparent"}, {"value": 1, "color": "#e07b2a"}),
                ),
            ],
            links=[QUALITY],
        ),
        table(
            "Topologies",
            "The highest revision is in use.",
            "SELECT revision, source, loaded_at, confirmed_at FROM report.topology ORDER BY 1 DESC LIMIT 20",
            [Field("loaded_at", TIMES), Field("confirmed_at", TIMES)],
            links=[QUALITY],
        ),
    ]
