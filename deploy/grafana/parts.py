"""Panels, links and variables as the JSON that Grafana reads. What they show is said in ``boards.py``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.web.config import Thresholds

Json = dict[str, Any]

SOURCE: Json = {"type": "grafana-postgresql-datasource", "uid": "transferscope"}
SCHEMA_VERSION = 41
WIDTH = 24

# The colours of our own pages: told apart in all kinds of colour vision.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8d949a")
BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY = COLOURS
KNOWN_VOS = ("atlas", "cms", "lhcb", "alice", "belle", "dune")
"""Have a colour each; the others get one by their name, so that a filter recolours nothing."""

SERIES = "${__field.labels.technology} · ${__field.labels.name}"


@dataclass(frozen=True)
class Field:
    """How a column or series is shown: its unit, colours and where it leads to."""

    name: str
    unit: str = ""
    links: tuple[Json, ...] = ()
    colour: str = ""
    steps: tuple[Json, ...] = ()
    title: str = ""
    width: int = 0

    def override(self) -> Json:
        """The field as an override of a panel."""
        found: list[Json] = []
        if self.unit:
            found.append({"id": "unit", "value": self.unit})
        if self.links:
            found.append({"id": "links", "value": list(self.links)})
        if self.colour:
            found.append({"id": "color", "value": {"mode": "fixed", "fixedColor": self.colour}})
        if self.steps:
            found.append({"id": "thresholds", "value": {"mode": "absolute", "steps": list(self.steps)}})
            found.append({"id": "custom.cellOptions", "value": {"type": "color-background", "mode": "basic"}})
        if self.title:
            found.append({"id": "displayName", "value": self.title})
        if self.width:
            found.append({"id": "custom.width", "value": self.width})
        return {"matcher": {"id": "byName", "options": self.name}, "properties": found}


@dataclass
class Board:
    """A dashboard that grows panel by panel, left to right, row by row."""

    uid: str
    title: str
    about: str
    variables: Sequence[Json]
    panels: list[Json] = field(default_factory=list)
    _x: int = 0
    _y: int = 0
    _tallest: int = 0

    def heading(self, title: str) -> None:
        """A line across the page."""
        self._break()
        self._place({"type": "row", "title": title, "collapsed": False, "panels": []}, WIDTH, 1)

    def add(self, panel: Json, width: int = 12, height: int = 8) -> None:
        """A panel in the next free place; 24 columns make a row."""
        if self._x + width > WIDTH:
            self._break()
        self._place(panel, width, height)

    def _place(self, panel: Json, width: int, height: int) -> None:
        place = {"x": self._x, "y": self._y, "w": width, "h": height}
        self.panels.append({"id": len(self.panels) + 1, "gridPos": place, **panel})
        self._x, self._tallest = self._x + width, max(self._tallest, height)

    def _break(self) -> None:
        self._x, self._y, self._tallest = 0, self._y + self._tallest, 0

    def json(self, boards: Iterable[Board]) -> Json:
        """The dashboard, with links to the others."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": ["transferscope"],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": False,
            "timezone": "utc",
            "refresh": "1m",
            "time": {"from": "now-24h", "to": "now"},
            "timepicker": {"refresh_intervals": ["1m", "5m", "15m", "1h"]},
            "graphTooltip": 1,
            "liveNow": False,
            "fiscalYearStartMonth": 0,
            "weekStart": "monday",
            "annotations": {"list": []},
            "links": [
                {
                    "type": "link",
                    "title": board.title,
                    "url": f"/d/{board.uid}",
                    "keepTime": True,
                    "includeVars": True,
                    "targetBlank": False,
                    "icon": "dashboard",
                }
                for board in boards
                if board.uid != self.uid
            ],
            "templating": {"list": list(self.variables)},
            "panels": self.panels,
        }


def series(
    title: str,
    about: str,
    sql: str,
    unit: str,
    *,
    links: Sequence[Json],
    name: str = SERIES,
    bars: bool = False,
    stacked: bool = False,
    fields: Sequence[Field] = (),
    most: float | None = None,
    limit: float | None = None,
    vo_colours: bool = False,
    earlier: str = "",
) -> Json:
    """A plot over time. ``limit`` draws a line; a gap stays a gap. Series named ``earlier`` are grey and dashed."""
    custom: Json = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "stepAfter",
        "lineWidth": 1,
        "fillOpacity": 80 if bars else 0,
        "barAlignment": 1,
        "showPoints": "never" if bars else "auto",
        "pointSize": 4,
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
        "links": list(links),
    }
    if name:
        defaults["displayName"] = name
    if most is not None:
        defaults["max"] = most
    if limit is not None:
        defaults["thresholds"] = {
            "mode": "absolute",
            "steps": [{"value": None, "color": BLUE}, {"value": limit, "color": RED}],
        }
        custom["thresholdsStyle"] = {"mode": "dashed"}
        defaults["custom"]["axisSoftMax"] = limit * 1.2
    overrides = [each.override() for each in fields]
    if vo_colours:
        overrides += [
            {
                "matcher": {"id": "byRegexp", "options": f"/ · {vo}$/"},
                "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
            }
            for vo, colour in zip(KNOWN_VOS, COLOURS, strict=False)
        ]
    if earlier:
        overrides.append(
            {
                "matcher": {"id": "byRegexp", "options": f"/ · {earlier}$/"},
                "properties": [
                    {"id": "color", "value": {"mode": "fixed", "fixedColor": GREY}},
                    {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 6]}},
                ],
            }
        )
    options = {
        "legend": {
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
            "calcs": ["lastNotNull", "mean", "max"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
        "timezone": ["utc"],
    }
    return _panel("timeseries", title, about, sql, "time_series", defaults, overrides, options)


def table(
    title: str,
    about: str,
    sql: str,
    fields: Sequence[Field] = (),
    *,
    links: Sequence[Json] = (),
    transformations: Sequence[Json] = (),
    defaults: Mapping[str, Any] | None = None,
) -> Json:
    """Rows as they come."""
    usual = {
        "custom": {"align": "auto", "filterable": True, "inspect": False},
        "links": list(links),
        **(defaults or {}),
    }
    panel = _panel(
        "table",
        title,
        about,
        sql,
        "table",
        usual,
        [each.override() for each in fields],
        {"cellHeight": "sm", "showHeader": True},
    )
    if transformations:
        panel["transformations"] = list(transformations)
    return panel


def note(text: str) -> Json:
    """A paragraph of Markdown."""
    return {"type": "text", "title": "", "transparent": True, "options": {"mode": "markdown", "content": text}}


def _panel(
    kind: str, title: str, about: str, sql: str, form: str, defaults: Json, overrides: Sequence[Json], options: Json
) -> Json:
    target = {
        "refId": "A",
        "datasource": SOURCE,
        "editorMode": "code",
        "format": form,
        "rawQuery": True,
        "rawSql": re.sub(r"\s+", " ", sql).strip(),
    }
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "targets": [target],
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
    }


def link(title: str, path: str, query: str) -> Json:
    """A link to one of our pages over the range of the dashboard."""
    range_ = "from=${__from}&to=${__to}"
    return {"title": title, "url": f"${{web}}{path}?{range_}{query and '&' + query}", "targetBlank": True}


def efficiency_steps() -> tuple[Json, ...]:
    """The classes of efficiency that our own matrix has; all failed is exactly 0."""
    limits = Thresholds()
    return (
        {"value": None, "color": "#4d000d"},
        {"value": 1e-9, "color": "#b02a1a"},
        {"value": limits.poor, "color": "#e07b2a"},
        {"value": limits.fair, "color": "#f5d547"},
        {"value": limits.good, "color": "#e3eef6"},
    )


def chosen(name: str, label: str, sql: str, about: str) -> Json:
    """A variable of several names, all of them at first, read from a small view."""
    return {
        "type": "query",
        "name": name,
        "label": label,
        "description": about,
        "datasource": SOURCE,
        "query": sql,
        "definition": sql,
        "refresh": 1,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
        "hide": 0,
    }


def one(name: str, label: str, sql: str, about: str) -> Json:
    """A variable of one name out of a small view, the first one at first."""
    single = chosen(name, label, sql, about) | {"multi": False, "includeAll": False}
    del single["current"]
    return single


def offered(name: str, label: str, values: Sequence[str], about: str) -> Json:
    """A variable with fixed values, the first one at first."""
    options = [{"text": value, "value": value, "selected": value == values[0]} for value in values]
    return {
        "type": "custom",
        "name": name,
        "label": label,
        "description": about,
        "query": ",".join(values),
        "options": options,
        "current": options[0],
        "multi": False,
        "includeAll": False,
        "hide": 0,
    }


def text(name: str, label: str, about: str) -> Json:
    """A variable that is typed."""
    empty = {"text": "", "value": "", "selected": False}
    return {
        "type": "textbox",
        "name": name,
        "label": label,
        "description": about,
        "query": "",
        "current": empty,
        "options": [empty],
        "hide": 0,
    }


def constant(name: str, value: str) -> Json:
    """A variable that nobody sees or changes."""
    return {
        "type": "constant",
        "name": name,
        "query": value,
        "current": {"text": value, "value": value, "selected": False},
        "options": [{"text": value, "value": value, "selected": True}],
        "hide": 2,
        "skipUrlSync": True,
    }
