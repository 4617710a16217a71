"""The READMEs and the example configuration say what the code says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pipeline.cli import settings
from schemas.topics import KNOWN_TOPICS
from tests.support.reference import BLOCKS, EXAMPLE, READMES, example_toml, renewed

RENEW = "say: python -m tests.support.reference"


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_tables_of_commands_and_settings_are_those_of_the_code(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    assert renewed(text) == text, RENEW


def test_every_table_stands_in_some_readme() -> None:
    texts = "".join(readme.read_text(encoding="utf-8") for readme in READMES)
    for name in BLOCKS:
        assert f"<!-- {name} -->" in texts


def test_the_example_configuration_is_that_of_the_code() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == example_toml(), RENEW


def test_the_example_configuration_can_be_used_as_it_is(tmp_path: Path) -> None:
    assert tomllib.loads(example_toml()) == {}
    everything = re.sub(r"^# (\w+ = |\[|\")", r"\1", example_toml(), flags=re.MULTILINE)
    assert set(tomllib.loads(everything)) == {setting.name for setting in settings.REGISTRY} | {"broker"}
    path = tmp_path / "all.toml"
    path.write_text(re.sub(r"^stomp_brokers = .*$", "", everything, flags=re.MULTILINE))
    found = settings.load(path, {})
    assert found.kinds() == KNOWN_TOPICS
    assert found.partitions == settings.Settings().partitions
