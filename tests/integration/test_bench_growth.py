"""``bench growth`` measures what it says, at the smallest size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Commands

pytestmark = pytest.mark.stack


def test_more_links_are_more_links_and_each_case_counts_its_own_messages(tmp_path: Path) -> None:
    said = Commands({}, tmp_path).json(
        *("bench", "growth", "--messages", 10_000, "--rows", "none", "--workers", "none", "--links", "1000,20000")
    )
    figures = {figure["name"]: figure for figure in said["figures"]}
    few, many = (figures[f"{links} links: links with their channels and FTS"]["value"] for links in ("1,000", "20,000"))
    assert 200 < few < many
    for links in ("1,000", "20,000"):
        assert figures[f"{links} links"]["value"] > 0
        assert figures[f"{links} links: of their server side"]["value"] > 1
    ratio = figures["20,000 links: cost to that of 1,000 links"]
    assert ratio["reached"] == (ratio["value"] <= ratio["goal"])
