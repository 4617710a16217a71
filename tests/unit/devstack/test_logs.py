"""Log lines: the last ones, and those to come, also from a log that was set aside meanwhile."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pipeline.devstack.logs import Line, last_lines, new_lines


def test_the_last_lines_of_each_log_one_service_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1\n2\n3\n")
    (tmp_path / "b").write_bytes(b"4\n\xff5")
    logs = {"one": tmp_path / "a", "two": tmp_path / "b", "none": tmp_path / "c"}
    assert list(last_lines(logs, 2)) == [Line("one", "2"), Line("one", "3"), Line("two", "4"), Line("two", "\ufffd5")]


def test_new_lines_come_whole_from_old_new_and_renewed_logs(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("before\n")
    with closing(new_lines({"one": old, "two": new})) as lines:
        new.write_text("first\n")
        with old.open("a") as file:
            file.write("ha")
        assert next(lines) == Line("two", "first")
        with old.open("a") as file:
            file.write("lf\n")
        assert next(lines) == Line("one", "half")
        old.rename(tmp_path / "aside")
        old.write_text("renewed\n")
        assert next(lines) == Line("one", "renewed")
