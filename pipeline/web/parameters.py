"""The parameters of API and pages. These models check them, and OpenAPI is made from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_ROWS = 1000
Bin = Literal["auto", "10m", "1h", "1d"]
Several = Annotated[list[str], Field(max_length=50)]

_END = "site:NAME, host:NAME or country:NAME (bare: a site, else a host); ! before it excludes; repeated: any of them"
_PLAIN = "Repeated: any of them; ! before a name excludes it."


class Form(BaseModel):
    """How the answer is written."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    format: Literal["json", "csv"] | None = Field(None, description="Wins over Accept.")
    shape: Literal["rows", "objects"] = Field("rows", description="JSON rows as arrays or as objects.")
    raw: bool = Field(False, description="CSV cells as they are, also those that a spreadsheet takes for formulas.")


class Paged(BaseModel):
    """A list in pages."""

    sort: str = Field("", max_length=200, description="Columns to sort by, - before one for falling.")
    limit: int = Field(50, ge=1, le=MAX_ROWS)
    cursor: str | None = Field(None, max_length=4000, description="From meta.links.next of the page before.")
    q: str = Field("", max_length=200, description="Part of one of the names of a row, in any case.")


class Timed(Form):
    """A range over time."""

    from_: str = Field("now-24h", alias="from", description="From this time on: RFC 3339, epoch s or ms, now-24h.")
    to: str = Field("now", description="Before this time. The range is rounded outward to windows.")
    bin: Bin = Field("auto", description="Width of windows; auto: 10m up to 48 h, 1h up to 30 days, else 1d.")


class Common(Timed):
    """Range and filters: what every endpoint over windows takes."""

    vo: Several = Field([], description=_PLAIN)
    technology: Several = Field([], description=_PLAIN)
    fts: Several = Field([], description=_PLAIN)
    channel: Several = Field([], description=_PLAIN)
    src: Several = Field([], description=f"Source: {_END}.")
    dst: Several = Field([], description=f"Destination: {_END}.")


class Listed(Paged, Common):
    """A list over a range."""


class Ranked(Listed):
    """A list of groups."""

    by: str = Field("", max_length=200, description="Columns to group by instead of the usual ones.")


class SeriesParameters(Common):
    """Windows over time."""

    by: str = Field("", max_length=200, description="Columns that make a series each, beside the technology.")
    measure: Several = Field(
        [], description="Columns to give: bytes_moved, efficiency, streaming_mean, total_p95 …; repeated: several."
    )


class StagesParameters(Common):
    """Where the time is spent."""

    by: str = Field("", max_length=200, description="Columns to group by, beside the technology.")
    p: str = Field("50,95", max_length=60, description="Percentiles, such as 50,90,99.9: at most ten.")


class MatrixParameters(Common):
    """Two levels."""

    rows: Literal["country", "site", "host"] = Field("country", description="Level of the sources.")
    cols: Literal["country", "site", "host"] = Field("country", description="Level of the destinations.")
    min_n: int = Field(0, ge=0, description="Only cells with at least so many ok and failed.")
    transpose: bool = Field(False, description="Destinations before sources.")
    top: int = Field(60, ge=1, le=1000, description="So many sources and destinations, those with most bytes.")


class SitesParameters(Listed):
    """Sites as senders or receivers."""

    direction: Literal["out", "in"] = "out"


class ErrorParameters(Ranked):
    """Failures."""

    scope: Several = Field([], description=_PLAIN)
    phase: Several = Field([], description=_PLAIN)
    category: Several = Field([], description=_PLAIN)
    code: Several = Field([], description=_PLAIN)
    text: str = Field("", max_length=200, description="Part of the template, in any case.")


LONGEST_KIND = 64
"""Characters of the id of a kind of failure, and some more."""


class ErrorLinksParameters(Listed):
    """The links of one kind of failure, named as in the rows of errors."""

    id: str = Field(max_length=LONGEST_KIND)


class TransferParameters(Listed):
    """Finished transfers."""

    state: list[Literal["ok", "failed", "aborted"]] = []
    min_size: int = Field(0, ge=0, description="At least so many bytes.")
    template: str = Field("", max_length=2000, description="Failed with this message template.")


class InFlightParameters(Ranked):
    """Starts without a complete."""

    from_: str = Field("now-7d", alias="from", description="Started from this time on.")
    min_age: int = Field(0, ge=0, description="Started at least so many seconds ago.")


class DeadLetterParameters(Paged, Form):
    """Messages that could not be used."""

    from_: str = Field("now-7d", alias="from")
    to: str = "now"
    reason: Several = []
    topic: Several = []


class QueueParameters(Paged, Form):
    """What waits in brokers and in Kafka."""

    from_: str = Field("now-24h", alias="from", description="Sampled from this time on.")
    to: str = "now"
    kind: list[Literal["queue", "group"]] = Field([], description="Queues of brokers, consumer groups of Kafka.")
    broker: Several = Field([], description=_PLAIN)
    name: Several = Field([], description=_PLAIN)
    samples: bool = Field(False, description="Every sample instead of the last ones.")


class AlertParameters(Paged, Form):
    """What rules found wrong."""

    from_: str = Field("now-7d", alias="from", description="Raised from this time on.")
    to: str = Field("now", description="Raised before this time.")
    open: bool = Field(False, description="Only those that are not cleared, whenever they were raised.")
    rule: Several = Field([], description=_PLAIN)
    subject: Several = Field([], description=_PLAIN)


class SilenceParameters(Form):
    """Alerts that nobody is told of."""

    over: bool = Field(False, description="Also those that are over.")


class HostParameters(Paged, Form):
    """Where hosts stand."""

    from_: str = Field("now-24h", alias="from", description="Transfers that finished from this time on.")
    to: str = "now"
    status: list[Literal["message", "endpoint", "host", "domain", "ambiguous", "unknown"]] = Field(
        [], description="How the host was found in the topology."
    )
    site: Several = Field([], description=_PLAIN)
    country: Several = Field([], description=_PLAIN)


class QualityParameters(Form):
    """How far numbers can be trusted."""

    from_: str = Field("now-24h", alias="from", description="From this time on.")
    to: str = "now"
    section: Literal["sources", "dead", "hosts", "join", "mapping", "topology", "verify", "finality"] = Field(
        "sources",
        description="sources: messages heard of each; dead: dead letters by topic and reason; hosts: those of no known"
        " site, by bytes; join: completes that found their start; mapping: how sides were found in the topology;"
        " topology, verify, finality: the newest of each.",
    )


class NameParameters(Form):
    """Completion."""

    kind: Literal["site", "host", "country", "vo", "channel", "fts", "technology"] = "site"
    prefix: str = Field("", max_length=200)
    limit: int = Field(20, ge=1, le=200)


class SummaryParameters(Common):
    """Totals."""

    compare: Literal["1d", "7d"] | None = Field(None, description="Also the same hours so long before.")


class ExportParameters(Common):
    """Windows as they are; ``bin`` chooses their width."""

    format: Literal["json", "csv", "xml"] | None = None  # type: ignore[assignment]
    count: bool = Field(False, description="How many rows there are, instead of them.")
