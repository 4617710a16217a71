"""What stands around every page: range, filters, freshness, and addresses that carry them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Request
from pydantic import BaseModel

from pipeline.stages.windows import BASE_MS
from pipeline.store.queries.health import freshness, open_alerts
from pipeline.store.queries.instants import to_datetime
from pipeline.units import duration
from pipeline.web.context import Context
from pipeline.web.filters import DAY_MS, MAX_BINS
from pipeline.web.pages.zoom import MOST_MS, zooms
from pipeline.web.parameters import Common, Timed

RANGES = ("1h", "6h", "24h", "7d", "30d")
CARRIED = ("from", "to", "bin", "vo", "technology", "fts", "channel")
"""Parameters that every link takes along."""
_SHOWN_ONLY = ("metric", "layout", "hidden", "target")
"""Parameters that say how a page shows what its data have anyway."""
_FILTERS = ("vo", "technology", "fts", "channel", "src", "dst")

KEPT_SINGLE_MS = 30 * DAY_MS
"""Single transfers are kept, and listed, for no longer."""

_UNFILTERED = ("/queues", "/alerts", "/quality")
"""Pages about the service itself, to which filters of transfers mean nothing."""

_NARROW = ("/transfers/in-flight", "/channels/", "/quality")
"""Pages that have questions in windows of ten minutes however long the range is."""

_SUBJECTS = {(path, side) for path in ("/links", "/vos") for side in ("src", "dst")}
"""What a page is about cannot be taken away from it."""

Model = TypeVar("Model", bound=BaseModel)


class Frame:
    """The frame of one page. ``asked`` are its checked parameters, those that were written are carried."""

    def __init__(self, request: Request, context: Context, asked: Timed, stale_s: int) -> None:
        self._pairs = request.query_params.multi_items()
        self.path = quote(request.scope["path"])
        self.asked = asked
        self.role = context.role
        self.span = context.span(asked)
        self._now_ms = context.now_ms
        self.now = to_datetime(context.now_ms)
        self.open_alerts = open_alerts(context.connection)
        self.sources = [
            _Source(each.source, each.last_event_at, self.now, stale_s) for each in freshness(context.connection)
        ]

    def url(self, path: str, **changed: Any) -> str:
        """An address on this host with range and filters, and these parameters changed (None: left out)."""
        changed = {"from": self.asked.from_} | changed  # pages have defaults of their own
        carried = ("to",) if path in _UNFILTERED else CARRIED
        kept = [(name, value) for name, value in self._pairs if name in carried and name not in changed]
        return _address(path, [*kept, *changed.items()])

    def menu(self, path: str) -> str:
        """The address of a page in the menu: what is in flight is looked at by its own range, whatever this one is."""
        if path == "/transfers/in-flight":
            return self.url(path, technology=None, **{"from": None, "to": None})
        return self.url(path)

    def here(self, **changed: Any) -> str:
        """This page with all of its parameters but these."""
        kept = [(name, value) for name, value in self._pairs if name not in changed and name != "cursor"]
        return _address(self.path, [*kept, *changed.items()])

    def behind(self, **narrowed: Any) -> str | None:
        """The single transfers behind a number of this page; None for a range longer than they are kept."""
        if self.span.length_ms > KEPT_SINGLE_MS:
            return None
        changed = {"from": self.span.from_ms, "to": self.span.to_ms, "bin": None} | narrowed
        filters = [(name, value) for name, value in self._pairs if name in _FILTERS and name not in changed]
        return _address("/transfers", [*filters, *changed.items()])

    def data(self, path: str, form: str, **changed: Any) -> str:
        """The address of the data with this page's range and filters, its own defaults written out."""
        changed = {"from": self.asked.from_, "format": None if form == "json" else form} | changed
        kept = [(name, value) for name, value in self._pairs if name not in {*changed, *_SHOWN_ONLY, "cursor"}]
        return _address(path, [*kept, *changed.items()])

    def without(self, name: str) -> str:
        """This page with a series of its pictures left out; taken in again if it is left out now."""
        left_out = self._left_out()
        return self.here(hidden=[each for each in left_out if each != name] + [name] * (name not in left_out))

    def only(self, name: str, names: Sequence[str]) -> str:
        """This page with one series of a picture that has these; with all of them if the others are left out now."""
        others = [each for each in names if each != name]
        left_out = self._left_out()
        rest = [each for each in left_out if each not in names]
        is_alone = name not in left_out and set(others) <= set(left_out)
        return self.here(hidden=rest if is_alone else rest + others)

    def _left_out(self) -> list[str]:
        return [value for key, value in self._pairs if key == "hidden"]

    @property
    def is_filtered(self) -> bool:
        """Whether this page takes filters of transfers."""
        return isinstance(self.asked, Common)

    @property
    def filters(self) -> list[tuple[str, str]]:
        """The filters that are on, each with the address without it."""
        found = []
        for place, (name, value) in enumerate(self._pairs):
            if name in _FILTERS and (self.path, name) not in _SUBJECTS:
                rest = [pair for number, pair in enumerate(self._pairs) if number != place and pair[0] != "cursor"]
                found.append((f"{name} {value}", _address(self.path, rest)))
        return found

    @property
    def ranges(self) -> list[tuple[str, str, bool]]:
        """Ranges that end now: label, address, whether it is this one."""
        asked = (self.asked.from_, self.asked.to)
        return [
            (each, self.here(**{"from": f"now-{each}", "to": None}), asked == (f"now-{each}", "now")) for each in RANGES
        ]

    @property
    def zooms(self) -> list[tuple[str, str, str | None]]:
        """Ranges beside this one: name, what it is, address; bins follow the range."""
        found = []
        most_ms = MAX_BINS * BASE_MS if self.path.startswith(_NARROW) else MOST_MS
        for name, meaning, range_ in zooms(self.span, self._now_ms, is_live=self.is_live, most_ms=most_ms):
            address = range_ and self.here(**{"from": range_[0], "to": range_[1], "bin": None})
            found.append((name, meaning, address))
        return found

    @property
    def is_live(self) -> bool:
        """Whether the range ends now, so that asking again shows something new."""
        return self.asked.to == "now"

    @property
    def fixed(self) -> str:
        """This page with absolute times."""
        return self.here(**{"from": self.span.from_ms, "to": self.span.to_ms})

    @property
    def stale(self) -> list[str]:
        """Sources that were not heard for too long."""
        return [each.name for each in self.sources if each.is_stale]

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The range."""
        return to_datetime(self.span.from_ms), to_datetime(self.span.to_ms)

    def value(self, name: str) -> str:
        """What a field of the form holds: the first value of the parameter."""
        return next((value for key, value in self._pairs if key == name), "")

    def hidden(self, shown: Iterable[str]) -> list[tuple[str, str]]:
        """Parameters that a form must send along, beside the ones it shows."""
        return [pair for pair in self._pairs if pair[0] not in {*shown, "cursor"}]


class _Source:
    def __init__(self, name: str, last: datetime | None, now: datetime, stale_s: int) -> None:
        self.name = name
        self.last = last
        age_s = None if last is None else (now - last).total_seconds()
        self.age = "never" if age_s is None else duration(max(0.0, age_s) * 1000)
        self.is_stale = age_s is None or age_s > stale_s


def like(asked: Common, model: type[Model], **changed: Any) -> Model:
    """The parameters of another endpoint with the same range and filters."""
    common = asked.model_dump(by_alias=True, include=set(Common.model_fields) - {"format", "shape", "raw"})
    known = {field.alias or name for name, field in model.model_fields.items()}
    return model.model_validate({name: value for name, value in common.items() if name in known} | changed)


def _address(path: str, pairs: Iterable[tuple[str, Any]]) -> str:
    flat = [
        (name, each)
        for name, value in pairs
        if value is not None
        for each in (value if isinstance(value, list) else [value])
    ]
    return f"{path}?{urlencode(flat)}" if flat else path
