"""The dashboard of the processes themselves, from Prometheus: does each do its work, and where does time go?"""

from __future__ import annotations

from collections.abc import Mapping

from deploy.grafana.parts import BLUE, RED, Board, Json, constant, link

SOURCE: Json = {"type": "prometheus", "uid": "transferscope-prometheus"}
FIGURE = "transferscope"
_QUEUES = link("Queues", "/queues", "")
_QUALITY = link("Quality", "/quality", "")
_ALERTS = link("Alerts", "/alerts", "")


def processes(web: str) -> Board:
    """Do bridge, workers, relay, alerter and web do their work?"""
    board = Board(
        "transferscope-processes",
        "transferscope / Pipeline processes",
        "Do the processes do their work, and where does it take time? From Prometheus.",
        [constant("web", web)],
    )
    _flow(board)
    _bridge(board)
    _workers(board)
    _relay_and_alerter(board)
    _web(board)
    _machine(board)
    return board


def _flow(board: Board) -> None:
    board.heading("What goes through")
    board.add(
        _plot(
            "Messages",
            "Received of the brokers, read from Kafka, and committed by what became of them.",
            {
                "received": f"{FIGURE}:received_messages:rate5m",
                "read": "sum(rate(transferscope_worker_read_messages_total[5m]))",
                "{{outcome}}": f"{FIGURE}:committed_messages:rate5m",
            },
            "msg/s",
            _QUALITY,
        )
    )
    board.add(
        _plot(
            "Waiting",
            "In the brokers' queues, unacknowledged in the bridge, and in Kafka. A gap: not known.",
            {
                "{{queue}}": "max by (queue) (transferscope_alerts_queue_messages)",
                "in the bridge": "sum(transferscope_bridge_unacknowledged_messages)",
                "Kafka {{topic}}": f"{FIGURE}:group_lag_messages:max",
            },
            "short",
            _QUEUES,
            limit=5000,
        )
    )
    board.add(
        _plot(
            "Age of the oldest that waits",
            "In the brokers' queues, and in Kafka for consumer groups of ours. An hour raises an alert.",
            {
                "{{queue}}": "max by (queue) (transferscope_alerts_queue_oldest_seconds)",
                "group {{group}}": "max by (group) (transferscope_alerts_group_oldest_seconds)",
            },
            "s",
            _QUEUES,
            limit=3600,
        )
    )
    board.add(
        _plot(
            "Age of messages when committed",
            "Of the newest message of each batch, from the broker's time on: half, and 95 in 100.",
            {f"p{q}": _quantile(q, "transferscope_worker_delay_seconds") for q in (50, 95)},
            "s",
            _QUALITY,
        )
    )
    board.add(
        _plot(
            "Dead letters of 15 minutes",
            "By reason; those that came again too. Too large ones are known to the bridge before they are committed.",
            {
                "{{reason}}": f"{FIGURE}:dead_letters:increase15m > 0",
                "too large, in the bridge": "sum(increase(transferscope_bridge_too_large_messages_total[15m])) > 0",
            },
            "short",
            _QUALITY,
        )
    )
    board.add(
        _plot(
            "Volume",
            "Bodies of the messages that are received of the brokers, and read from Kafka.",
            {
                "received": "sum(rate(transferscope_bridge_received_bytes_total[5m]))",
                "read": "sum(rate(transferscope_worker_read_bytes_total[5m]))",
            },
            "Bps",
            _QUALITY,
        )
    )
    board.add(
        _plot(
            "Since something came, and was committed",
            "Since a broker last sent a message to any bridge, and since a worker last committed a batch.",
            {
                "received": "time() - max(transferscope_bridge_last_received_timestamp_seconds)",
                "committed": "time() - max(transferscope_store_last_commit_timestamp_seconds)",
            },
            "s",
            _QUALITY,
        )
    )


def _bridge(board: Board) -> None:
    board.heading("Bridge")
    board.add(
        _plot(
            "Connections",
            "Addresses of brokers by state. /healthz names them.",
            {"{{state}}": "sum by (state) (transferscope_bridge_connections)"},
            "short",
            _QUEUES,
        ),
        8,
    )
    board.add(
        _plot(
            "Connections of 15 minutes",
            "Made; and lost, refused or not answered: each attempt counts.",
            {
                "made": "sum(increase(transferscope_bridge_connects_total[15m]))",
                "failures": "sum(increase(transferscope_bridge_connection_failures_total[15m]))",
            },
            "short",
            _QUEUES,
        ),
        8,
    )
    board.add(
        _plot(
            "Until Kafka has a batch",
            "Half and 95 in 100 of the batches; and the oldest message without an acknowledgement.",
            {f"p{q}": _quantile(q, "transferscope_bridge_publish_seconds") for q in (50, 95)}
            | {"oldest": "max(transferscope_bridge_oldest_unacknowledged_seconds)"},
            "s",
            _QUEUES,
        ),
        8,
    )
    board.add(
        _plot(
            "Into Kafka, and acknowledged to the brokers",
            "The second follows the first; what lies between them comes again if the bridge dies.",
            {
                "in Kafka": "sum(rate(transferscope_bridge_published_messages_total[5m]))",
                "acknowledged": "sum(rate(transferscope_bridge_acknowledged_messages_total[5m]))",
            },
            "msg/s",
            _QUEUES,
        ),
        8,
    )
    board.add(
        _plot(
            "Messages of a batch of the bridge",
            "Mean by process. ActiveMQ pages in 200 at a time.",
            {"{{instance}}": _mean("transferscope_bridge_batch_messages")},
            "short",
            _QUEUES,
        ),
        8,
    )
    board.add(
        _plot(
            "Bodies that wait in the bridge",
            "Delivered by the brokers and not yet in Kafka; at 64 MiB a connection, reading stops.",
            {"{{instance}}": "transferscope_bridge_unacknowledged_bytes"},
            "bytes",
            _QUEUES,
        ),
        8,
    )


def _workers(board: Board) -> None:
    board.heading("Workers")
    board.add(
        _plot(
            "Time of a message by stage",
            "All workers together. number to commit wait for PostgreSQL, decode and enrich use the processor.",
            {"{{stage}}": f"{FIGURE}:stage_seconds_per_message:rate5m"},
            "s",
            _QUALITY,
            stacked=True,
        )
    )
    board.add(
        _plot(
            "Until a batch is committed",
            "From its hand-over on, with waits for PostgreSQL: half and 95 in 100 of the batches.",
            {f"p{q}": _quantile(q, "transferscope_worker_commit_seconds") for q in (50, 95)},
            "s",
            _QUALITY,
        )
    )
    board.add(
        _plot(
            "Messages of a batch",
            "Mean by worker. Batches are closed 0.4 s after their first message.",
            {"{{instance}}": _mean("transferscope_worker_batch_messages")},
            "short",
            _QUALITY,
        )
    )
    board.add(
        _plot(
            "Services that answer",
            "1 while PostgreSQL, Kafka or a broker answers the process that tells it.",
            {"{{job}} · {{service}}": "min by (job, service) (transferscope_service_up)"},
            "short",
            _QUALITY,
        )
    )
    board.add(
        _plot(
            "Outages of 15 minutes",
            "How often such a service went away.",
            {"{{job}} · {{service}}": "sum by (job, service) (increase(transferscope_service_outages_total[15m])) > 0"},
            "short",
            _QUALITY,
        )
    )
    board.add(
        _plot(
            "Topology in use",
            "Revision of the store and of the workers, which take up a newer one with their next batch.",
            {
                "store": "max(transferscope_store_topology_revision)",
                "worker {{instance}}": "transferscope_worker_topology_revision",
            },
            "short",
            _QUALITY,
        )
    )


def _relay_and_alerter(board: Board) -> None:
    board.heading("Relay and alerter")
    board.add(
        _plot(
            "Documents published",
            "By topic of Kafka.",
            {"{{topic}}": "sum by (topic) (rate(transferscope_relay_published_documents_total[5m]))"},
            "short",
            _ALERTS,
        ),
        8,
    )
    board.add(
        _plot(
            "Outbox",
            "How long its oldest row has waited for the relay.",
            {"oldest": "max(transferscope_relay_outbox_oldest_seconds)"},
            "s",
            _ALERTS,
        ),
        8,
    )
    board.add(
        _plot(
            "Rows of the outbox, and relays at work",
            "Of several relays one has the turn; none: nobody publishes.",
            {
                "rows": "max(transferscope_relay_outbox_rows)",
                "relays at work": "sum(transferscope_relay_has_turn)",
                "documents of a batch, {{instance}}": _mean("transferscope_relay_batch_documents"),
            },
            "short",
            _ALERTS,
        ),
        8,
    )
    board.add(
        _plot(
            "Until Kafka has documents",
            "Half and 95 in 100 of the relay's batches.",
            {f"p{q}": _quantile(q, "transferscope_relay_publish_seconds") for q in (50, 95)},
            "s",
            _ALERTS,
        ),
        8,
    )
    board.add(
        _plot(
            "Since the rules were judged",
            "The alerter's heart-beat. Two minutes wake somebody.",
            {"age": "time() - max(transferscope_alerts_last_run_timestamp_seconds)"},
            "s",
            _ALERTS,
            limit=120,
        ),
        8,
    )
    board.add(
        _plot(
            "Alerts",
            "Open and not silenced; raised and cleared of 15 minutes, by rule.",
            {
                "open": "max(transferscope_store_open_alerts)",
                "raised {{rule}}": "sum by (rule) (increase(transferscope_alerts_raised_total[15m])) > 0",
                "cleared {{rule}}": "sum by (rule) (increase(transferscope_alerts_cleared_total[15m])) > 0",
            },
            "short",
            _ALERTS,
        ),
        8,
    )
    board.add(
        _plot(
            "A look of the rules",
            "95 in 100, by what is looked at.",
            {"{{look}}": _quantile(95, "transferscope_alerts_run_seconds", "look")},
            "s",
            _ALERTS,
        ),
        8,
    )


def _web(board: Board) -> None:
    board.heading("Web")
    board.add(
        _plot(
            "Requests",
            "By status.",
            {"{{status}}": f"{FIGURE}:web_requests:rate5m"},
            "reqps",
            _QUALITY,
        ),
        8,
    )
    board.add(
        _plot(
            "Until an answer begins",
            "95 in 100 of the requests, and of the statements in the database.",
            {
                "requests": f"{FIGURE}:web_request_seconds:p95_5m",
                "statements": _quantile(95, "transferscope_web_statement_seconds"),
            },
            "s",
            _QUALITY,
        ),
        8,
    )
    board.add(
        _plot(
            "Connections in use",
            "Of each process; at web_connections, requests wait.",
            {"{{instance}}": "transferscope_web_connections_in_use"},
            "short",
            _QUALITY,
        ),
        8,
    )


def _machine(board: Board) -> None:
    board.heading("Processes")
    ours = '{job=~"transferscope-.+"}'
    board.add(
        _plot(
            "Answering",
            "1 while a process answers Prometheus.",
            {"{{job}} · {{instance}}": f"up{ours}"},
            "short",
            _QUALITY,
        ),
        8,
    )
    board.add(
        _plot(
            "Memory",
            "Resident, of each process.",
            {"{{job}} · {{instance}}": f"process_resident_memory_bytes{ours}"},
            "decbytes",
            _QUALITY,
        ),
        8,
    )
    board.add(
        _plot(
            "Processor",
            "Cores that each process keeps busy.",
            {"{{job}} · {{instance}}": f"rate(process_cpu_seconds_total{ours}[5m])"},
            "short",
            _QUALITY,
        ),
        8,
    )


def _quantile(hundredths: int, histogram: str, *by: str) -> str:
    return f"histogram_quantile({hundredths / 100}, sum by ({', '.join(['le', *by])}) (rate({histogram}_bucket[5m])))"


def _mean(histogram: str) -> str:
    return f"rate({histogram}_sum[5m]) / rate({histogram}_count[5m])"


def _plot(
    title: str,
    about: str,
    expressions: Mapping[str, str],
    unit: str,
    leads_to: Json,
    *,
    stacked: bool = False,
    limit: float | None = None,
) -> Json:
    """A plot over time of expressions by their legend. A gap stays a gap: it is not known."""
    custom: Json = {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "fillOpacity": 60 if stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "insertNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "axisSoftMin": 0,
    }
    defaults: Json = {
        "unit": unit,
        "min": 0,
        "color": {"mode": "palette-classic-by-name"},
        "custom": custom,
        "links": [leads_to],
    }
    if limit is not None:
        custom["thresholdsStyle"] = {"mode": "dashed"}
        defaults["thresholds"] = {
            "mode": "absolute",
            "steps": [{"value": None, "color": BLUE}, {"value": limit, "color": RED}],
        }
    return {
        "type": "timeseries",
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "editorMode": "code",
                "expr": expression,
                "legendFormat": legend,
                "range": True,
            }
            for number, (legend, expression) in enumerate(expressions.items())
        ],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {
            "legend": {
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
                "calcs": ["lastNotNull", "mean", "max"],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
            "timezone": ["utc"],
        },
    }
