"""Where things lie by default: the XDG base directory rules."""

from __future__ import annotations

from pathlib import Path

from pipeline.devstack.folders import Folder, default_folder, jar_cache


def test_the_variables_of_the_rules_are_followed() -> None:
    assert default_folder({"XDG_STATE_HOME": "/state"}) == Path("/state/transferscope/stack")
    assert jar_cache({"XDG_CACHE_HOME": "/cache"}) == Path("/cache/transferscope/jars")


def test_without_them_it_is_the_home_folder() -> None:
    assert default_folder({}) == Path.home() / ".local/state/transferscope/stack"
    assert jar_cache({"XDG_CACHE_HOME": ""}) == Path.home() / ".cache/transferscope/jars"


def test_a_relative_path_in_them_is_ignored_as_the_rules_say() -> None:
    assert jar_cache({"XDG_CACHE_HOME": "cache"}) == Path.home() / ".cache/transferscope/jars"


def test_nobody_else_may_enter_the_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "deep" / "stack")
    folder.make()
    folder.make()
    assert folder.path.stat().st_mode & 0o777 == 0o700
