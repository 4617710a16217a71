"""The package's README tells the truth about the file format."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.topology.document import json_schema
from pipeline.topology.files import parse

README = (Path(__file__).resolve().parents[3] / "pipeline" / "topology" / "README.md").read_text()


def test_the_file_shown_can_be_loaded() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    parsed = parse(shown.encode(), "README.md")
    assert parsed.warnings == ()
    assert all(parsed.facts)


def test_every_field_is_explained_and_no_other() -> None:
    table = README.split("| part | field | meaning |")[1].split("\n\n")[0]
    explained = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[2])}
    entries = json_schema()["$defs"].values()
    fields = {name for entry in entries for name in entry["properties"]}
    lists = {"hosts", "domains", "endpoints", "experiments"}  # "sites" is a field of domains, too
    assert explained == fields - lists
