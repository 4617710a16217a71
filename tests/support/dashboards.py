"""The committed Grafana dashboards, and what Grafana puts into their SQL and links before it sends them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]
Chosen = Mapping[str, str | Sequence[str]]

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
FILES = sorted((FOLDER / "dashboards").glob("*.json"))
VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?(?::([\w-]+))?\}")
BUILT_IN = ("__from", "__to")


def load(path: Path) -> Json:
    """A dashboard."""
    board = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(board, dict)
    return board


def panels(board: Json) -> list[Json]:
    """Its panels that show data."""
    return [panel for panel in board["panels"] if panel["type"] not in ("row", "text")]


def statements(board: Json) -> Iterator[tuple[str, str]]:
    """Title of each panel or name of each variable, and its SQL."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield panel["title"], target["rawSql"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]


def links(panel: Json) -> list[Json]:
    """The data links of a panel and of its fields."""
    config = panel["fieldConfig"]
    found = list(config["defaults"].get("links", []))
    for override in config["overrides"]:
        for each in override["properties"]:
            found += each["value"] if each["id"] == "links" else []
    return found


def expand_sql(sql: str, chosen: Chosen, from_iso: str, to_iso: str) -> str:
    """The statement that the database gets; raises KeyError for a variable or format that is not known."""
    sql = VARIABLE.sub(lambda found: _formatted(found[2], chosen[found[1]]), sql)
    sql = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN '{from_iso}' AND '{to_iso}'", sql)
    sql = sql.replace("$__timeFrom()", f"'{from_iso}'").replace("$__timeTo()", f"'{to_iso}'")
    assert "$" not in sql, sql
    return sql


def expand_link(url: str, chosen: Chosen, values: Mapping[str, str], from_ms: int, to_ms: int) -> str:
    """The address of a link; ``values`` are those of ``__data``, ``__field`` and ``__value``, by their whole names."""
    times = {"__from": str(from_ms), "__to": str(to_ms)}

    def put_in(found: re.Match[str]) -> str:
        name, form, argument = found.groups()
        value = times[name] if name in times else chosen[name]
        if form == "customqueryparam":
            each = [value] if isinstance(value, str) else value
            return "&".join(f"{argument}={quote(one, safe='')}" for one in each)
        assert isinstance(value, str), url
        return quote(value, safe="") if form == "percentencode" else value

    for name, value in values.items():
        url = url.replace(f"${{{name}:percentencode}}", quote(value, safe=""))
    url = VARIABLE.sub(put_in, url)
    assert "$" not in url, url
    return url


def _formatted(form: str, value: str | Sequence[str]) -> str:
    if form == "raw":
        assert isinstance(value, str)
        return value
    if form == "sqlstring":
        return ",".join(_quoted(each) for each in ([value] if isinstance(value, str) else value))
    raise KeyError(form)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
