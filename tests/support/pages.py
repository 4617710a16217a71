"""Pages as tests read them: tables, links and tags of HTML, and the data that a page leads to."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser

from fastapi.testclient import TestClient

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


class Page(HTMLParser):
    """Cells of all table rows, addresses of all links, and every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "a":
            self.links.append(found["href"] or "")
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data

    def row(self, *begin: str) -> list[str]:
        """The first row that has these cells one after another."""
        found = (row for row in self.rows if all(name in row for name in begin))
        return [" ".join(cell.split()) for cell in next(found)]


def page(client: TestClient, address: str, **headers: str) -> Page:
    """The page of this address, which must be there."""
    reply = client.get(address, headers=headers)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8"), reply.text
    return Page(reply.text)


def data(client: TestClient, shown: Page, path: str) -> list[dict[str, str]]:
    """The rows behind the first CSV link of a page that leads to this endpoint."""
    address = next(each for each in shown.links if each.startswith(f"/api/v1/{path}?") and "format=csv" in each)
    reply = client.get(address)
    assert reply.status_code == 200, reply.text
    return list(csv.DictReader(io.StringIO(reply.text)))
