"""The modules that the image does not have although a locked package brings them, and a program that does without them.

``python -m tests.support.left_out FOLDER`` fills the empty database of the settings, and asks for all that there is.
"""

from __future__ import annotations

import importlib.abc
import os
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"

PATHS = [line for line in (DEPLOY / "image" / "left-out").read_text().splitlines() if line and line[0] != "#"]
"""Below site-packages."""

PACKAGES = re.findall(r" uninstall --quiet --yes (\S+)", (DEPLOY / "Dockerfile").read_text())
"""Whole packages."""

MODULES = frozenset([*PACKAGES, *(path.replace("/", ".") for path in PATHS)])


class _LeftOut(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in MODULES:
            raise ModuleNotFoundError(f"{fullname} is left out of the image", name=fullname)
        return None


def main() -> None:
    sys.meta_path.insert(0, _LeftOut())
    # Only now: what these import must do without them.
    from fastapi.testclient import TestClient

    from pipeline.cli import settings
    from pipeline.cli.main import run
    from pipeline.store.queries.reports import REPORTS
    from pipeline.web.app import create_app
    from pipeline.web.config import WebConfig
    from tests.support.page_routes import crawl
    from tests.support.tokens import reads_and_operates

    folder = Path(sys.argv[1])
    traffic = str(folder / "hour.jsonl.zst")
    asked = [
        ["simulate", "--messages", "2000", "--no-truth", "--out", traffic],
        ["init"],
        ["topology", "load", str(DEPLOY / "topology.example.json")],
        ["replay", traffic],
        ["recompute"],
        ["verify"],
        *(["query", name, "--from", "-1d"] for name in REPORTS),
        ["query", "links", "--from", "-1d", "--by", "vo", "--stages", "--format", "json"],
        ["export", "links", "--from", "-1d", "--out", str(folder / "links.csv")],
        ["status"],
        ["dead-letters", "list"],
        ["tokens", "list"],
        ["silences", "rules"],
    ]
    for command in asked:
        assert run(command) == 0, command
    url = settings.load(None, os.environ).need("database_url")
    reads_and_operates(url)
    app = create_app(WebConfig(url))
    with TestClient(app, headers={"Authorization": "Bearer operates", "Accept": "text/html"}) as client:
        pages = crawl(app, client, ["/?from=-1d", "/matrix?from=-1d&rows=host&cols=host"])
        assert len(pages) > 15, pages
        for path, ways in app.openapi()["paths"].items():
            if "get" in ways and "{" not in path:
                assert client.get(path, params={"from": "-1d"}).status_code < 500, path
    for module in MODULES:
        assert module not in sys.modules, module


if __name__ == "__main__":
    main()
