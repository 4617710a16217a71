"""The jars come from the lock, are fetched once whoever asks, and are refused when they are not the lock's."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.devstack import jars
from pipeline.devstack.errors import NotThere
from pipeline.devstack.jars import Jar


def jar(name: str, content: bytes) -> Jar:
    return Jar("kafka", f"org.example:{name}:jar:1.0", len(content), hashlib.sha256(content).hexdigest())


class Repository:
    """Serves contents by coordinate, after ``failures`` failed attempts of each."""

    def __init__(self, contents: dict[str, bytes], failures: int = 0) -> None:
        self.contents = contents
        self.failures = failures
        self.asked: list[str] = []
        self._turn = threading.Lock()

    def download(self, coordinate: str, folder: Path, counting: Callable[[int], None]) -> Path:
        with self._turn:
            self.asked.append(coordinate)
            attempt = self.asked.count(coordinate)
        content = self.contents[coordinate]
        folder.mkdir()
        path = folder / "download.jar"
        path.write_bytes(content)
        counting(len(content))
        if attempt <= self.failures:
            raise OSError("connection reset by peer")
        return path


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Repository]:
    def start(contents: dict[str, bytes], failures: int = 0) -> Repository:
        repository = Repository(contents, failures)
        monkeypatch.setattr(jars, "_download", repository.download)
        return repository

    return start


def test_the_committed_lock_names_every_jar_with_size_and_sum() -> None:
    locked = jars.locked()
    assert {each.service for each in locked} == {"kafka", "activemq", "jolokia"}
    for each in locked:
        assert each.size_bytes > 0
        assert len(bytes.fromhex(each.sha256)) == 32
        assert each.file_name.endswith(".jar")
    assert len({(each.service, each.coordinate) for each in locked}) == len(locked)


def test_a_classifier_is_part_of_the_file_name() -> None:
    agent = Jar("jolokia", "org.jolokia:jolokia-agent-jvm:jar:javaagent:2.3.0", 1, "00" * 32)
    assert agent.file_name == "jolokia-agent-jvm-2.3.0-javaagent.jar"


def test_what_is_missing_is_fetched_and_counted(tmp_path: Path, serve: Callable[..., Repository]) -> None:
    one, two = jar("one", b"1" * 10), jar("two", b"2" * 20)
    repository = serve({one.coordinate: b"1" * 10, two.coordinate: b"2" * 20})
    told: list[tuple[int, int]] = []
    paths = jars.ensure([one, two], tmp_path, lambda done, total: told.append((done, total)))
    assert [path.read_bytes() for path in paths] == [b"1" * 10, b"2" * 20]
    assert told[-1] == (30, 30)
    assert sorted(repository.asked) == sorted([one.coordinate, two.coordinate])


def test_what_is_in_the_cache_is_not_fetched_again(tmp_path: Path, serve: Callable[..., Repository]) -> None:
    one = jar("one", b"1")
    repository = serve({one.coordinate: b"1"})
    assert jars.ensure([one], tmp_path) == jars.ensure([one], tmp_path)
    assert repository.asked == [one.coordinate]


def test_two_that_fetch_at_once_fetch_each_jar_once(tmp_path: Path, serve: Callable[..., Repository]) -> None:
    wanted = [jar(f"j{n}", bytes([n]) * 1000) for n in range(20)]
    repository = serve({each.coordinate: bytes([n]) * 1000 for n, each in enumerate(wanted)})
    with ThreadPoolExecutor(4) as pool:
        for found in [pool.submit(jars.ensure, wanted, tmp_path) for _ in range(4)]:
            assert len(found.result()) == 20
    assert sorted(repository.asked) == sorted(each.coordinate for each in wanted)


def test_a_jar_with_another_sum_is_refused_and_kept_out_of_the_cache(
    tmp_path: Path, serve: Callable[..., Repository]
) -> None:
    one = jar("one", b"right")
    serve({one.coordinate: b"wrong"})
    with pytest.raises(NotThere, match=r"org\.example:one:jar:1\.0 is not the jar of jars\.lock"):
        jars.ensure([one], tmp_path)
    assert not list(tmp_path.rglob("*.jar"))


def test_a_jar_that_was_changed_in_the_cache_is_refused(tmp_path: Path, serve: Callable[..., Repository]) -> None:
    one = jar("one", b"right")
    serve({one.coordinate: b"right"})
    (path,) = jars.ensure([one], tmp_path)
    path.write_bytes(b"changed")
    with pytest.raises(NotThere, match="is not the jar"):
        jars.ensure([one], tmp_path)


def test_a_fetch_that_fails_is_tried_again_and_counted_once(tmp_path: Path, serve: Callable[..., Repository]) -> None:
    one = jar("one", b"1" * 10)
    repository = serve({one.coordinate: b"1" * 10}, failures=jars.ATTEMPTS - 1)
    told: list[tuple[int, int]] = []
    jars.ensure([one], tmp_path, lambda done, total: told.append((done, total)))
    assert len(repository.asked) == jars.ATTEMPTS
    assert told[-1] == (10, 10)


def test_a_fetch_that_keeps_failing_says_which_jar_and_what_to_do(
    tmp_path: Path, serve: Callable[..., Repository]
) -> None:
    one = jar("one", b"1")
    serve({one.coordinate: b"1"}, failures=jars.ATTEMPTS)
    with pytest.raises(
        NotThere, match=r"org\.example:one:jar:1\.0 cannot be fetched .*connection reset.*stack up again"
    ):
        jars.ensure([one], tmp_path)
    assert not list(tmp_path.rglob("*.jar"))
