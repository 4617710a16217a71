"""Writes the dashboards: ``python -m deploy.grafana.build [--web URL] [FOLDER]``.

``--web`` is the address of ``transferscope web`` as browsers reach it; data links lead there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from deploy.grafana.boards import errors, one_link, overview
from deploy.grafana.inside import in_flight, quality, queues
from deploy.grafana.places import matrix, site
from deploy.grafana.processes import processes

FOLDER = Path(__file__).parent / "dashboards"
WEB = "http://127.0.0.1:8080"


def files(web: str = WEB) -> dict[str, str]:
    """Name of each file -> the dashboard as JSON."""
    boards = [make(web) for make in (overview, one_link, site, matrix, errors, queues, in_flight, quality)]
    from_prometheus = processes(web)
    of_sql = {
        f"{board.uid.removeprefix('transferscope-')}.json": json.dumps(board.json(boards), indent=1, ensure_ascii=False)
        + "\n"
        for board in boards
    }
    content = json.dumps(from_prometheus.json(boards), indent=1, ensure_ascii=False) + "\n"
    return {**of_sql, "prometheus/processes.json": content}


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes all files into the folder, which is this one's ``dashboards`` unless another is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--web", default=WEB, help=f"where our pages are (default: {WEB})")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    asked = parser.parse_args(arguments)
    for name, content in files(asked.web.rstrip("/")).items():
        (asked.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (asked.folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
