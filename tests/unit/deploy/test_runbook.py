"""The runbook names commands, settings, files and alerts that there are."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import click
import pytest

from pipeline.cli.settings import PREFIX, REGISTRY
from pipeline.stages.alert_rules import RULES
from tests.support.deployed import command_line

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
RUNBOOK = (DEPLOY / "README.md").read_text()
COMMANDS = sorted(
    set(re.findall(r"(?:`|worker |bridge |alerts |-- )transferscope ([a-z][\w ./@%:-]*)(?=[`\n])", RUNBOOK))
)
ANCHORS = {
    re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
    for title in re.findall(r"^#{1,6} (.+)$", RUNBOOK, re.MULTILINE)
}


def test_there_is_something_to_check() -> None:
    assert len(COMMANDS) > 8
    assert "backlog" in ANCHORS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_that_the_program_understands(command: str) -> None:
    with suppress(click.MissingParameter, click.exceptions.NoArgsIsHelpError):  # a mention, without all of it
        command_line(command.split())


def test_settings_that_matter_are_settings() -> None:
    section = RUNBOOK.partition("## Settings that matter")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    names = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert len(names) > 8
    assert names <= {setting.name for setting in REGISTRY}


def test_variables_are_those_of_settings() -> None:
    found = set(re.findall(rf"{PREFIX}[A-Z_]+", RUNBOOK))
    assert found <= {setting.variable for setting in REGISTRY}


def test_every_link_into_the_runbook_leads_somewhere() -> None:
    inside = set(re.findall(r"\]\(#([\w-]+)\)", RUNBOOK))
    told = {
        anchor
        for rules in (DEPLOY / "prometheus").rglob("*.yml")
        for anchor in re.findall(r"deploy/README\.md#([\w-]+)", rules.read_text())
    }
    assert inside
    assert sorted((inside | told) - ANCHORS) == []


def test_every_rule_of_the_alerter_leads_to_its_section() -> None:
    table = RUNBOOK.partition("\n## Alerts\n")[2].partition("\n### ")[0]
    told = dict(re.findall(r"\| `([\w-]+)` \| \[(\w+)\]\(#\2\)", table))
    assert set(told) == {rule.name for rule in RULES}
    assert set(told.values()) <= ANCHORS


def test_every_alert_has_a_cause_and_a_remedy() -> None:
    sections = RUNBOOK.partition("\n## Alerts\n")[2].partition("\n## ")[0].split("\n### ")[1:]
    assert len(sections) > 20
    for section in sections:
        name, _, text = section.partition("\n")
        cause, marked, remedy = text.partition("\n**Remedy**: ")
        assert cause.strip(), name
        assert marked, name
        assert remedy.strip(), name


def test_every_login_that_is_made_is_told_of() -> None:
    made = set(re.findall(r"'(\w+)', 'LOGIN", (DEPLOY / "logins.sql").read_text()))
    section = RUNBOOK.partition("\n## Who may what\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == made


def test_every_file_of_the_folder_is_told_of() -> None:
    for path in DEPLOY.iterdir():
        if path.name not in {"README.md", "topology.example.md", "__pycache__"}:
            assert f"`{path.name}" in RUNBOOK, path.name
    for link in re.findall(r"\]\(([\w./-]+)\)", RUNBOOK):
        assert (DEPLOY / link).exists(), link
