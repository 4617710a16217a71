"""What each endpoint asks. Pages ask through the same functions, so that they show the same numbers."""

from pipeline.web.asks.failures import error_links, errors
from pipeline.web.asks.messages import messages, messages_of
from pipeline.web.asks.pairs import largest, matrix, pairs
from pipeline.web.asks.service import (
    alerts,
    dead_letters,
    known_names,
    listed_silences,
    quality,
    queue_status,
    queues,
    source_freshness,
    topology_hosts,
)
from pipeline.web.asks.transfers import in_flight, transfer, transfers
from pipeline.web.asks.windows import (
    channels,
    correlation,
    export,
    links,
    series,
    sites,
    stages,
    summary,
    vos,
)

__all__ = [
    "alerts",
    "channels",
    "correlation",
    "dead_letters",
    "error_links",
    "errors",
    "export",
    "in_flight",
    "known_names",
    "largest",
    "links",
    "listed_silences",
    "matrix",
    "messages",
    "messages_of",
    "pairs",
    "quality",
    "queue_status",
    "queues",
    "series",
    "sites",
    "source_freshness",
    "stages",
    "summary",
    "topology_hosts",
    "transfer",
    "transfers",
    "vos",
]
