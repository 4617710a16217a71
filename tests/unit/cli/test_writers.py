"""Several writing processes: who gets what, what comes back, and what their ends mean."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from pipeline.cli import writers
from pipeline.cli.writers import WriterDied, Writers
from pipeline.store.session import Unavailable
from schemas.envelope import RawMessage
from tests.support.writer_fakes import Away, Killed, Noting


def _message(number: int, body: str) -> RawMessage:
    return RawMessage("fts.start", "t", body.encode(), {}, 1, f"f:{number}", str(number))


def _keyed(number: int, key: int) -> RawMessage:
    return _message(number, f'{{"job_id": "j", "file_id": {key}}}')


def _batches(folder: Path) -> dict[str, list[list[str]]]:
    """The batches that each process got, as lists of identities."""
    return {
        path.name: [line.split() for line in path.read_text().splitlines()]
        for path in folder.iterdir()
        if path.suffix != ".closed"
    }


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "MOST", 10)


def test_every_message_gets_to_one_writer_in_order_and_a_key_always_to_the_same(tmp_path: Path) -> None:
    messages = [_keyed(number, number % 40) for number in range(400)]
    with Writers(3, partial(Noting, tmp_path)) as three:  # type: ignore[arg-type]
        counts = three.put(messages) + three.finish()
    assert +counts == {"received": 400, "stored": 400}
    batches = _batches(tmp_path)
    assert len(batches) == 3
    got = {name: [int(number) for batch in its for number in batch] for name, its in batches.items()}
    assert sorted(number for numbers in got.values() for number in numbers) == list(range(400))
    assert all(numbers == sorted(numbers) for numbers in got.values())
    of_key = [{name for name, numbers in got.items() if any(n % 40 == key for n in numbers)} for key in range(40)]
    assert all(len(names) == 1 for names in of_key)
    assert all(len(batch) <= 10 for its in batches.values() for batch in its)
    assert len(list(tmp_path.glob("*.closed"))) == 3


def test_messages_without_a_key_never_share_a_batch_with_others(tmp_path: Path) -> None:
    messages = [_keyed(number, number) if number % 3 else _message(number, "no json") for number in range(200)]
    with Writers(2, partial(Noting, tmp_path)) as two:  # type: ignore[arg-type]
        two.put(messages)
        two.finish()
    batches = [batch for its in _batches(tmp_path).values() for batch in its]
    assert {bool(int(number) % 3) for batch in batches for number in batch} == {True, False}
    assert all(len({bool(int(number) % 3) for number in batch}) == 1 for batch in batches)


def test_what_a_writer_raises_is_raised_here(tmp_path: Path) -> None:
    with Writers(2, partial(Away, tmp_path)) as two:  # type: ignore[arg-type]
        two.put([_keyed(1, 1)])
        with pytest.raises(Unavailable, match="PostgreSQL at db:5432/x cannot be reached: nobody listens"):
            two.finish()


def test_a_killed_writer_is_told_with_what_to_do(tmp_path: Path) -> None:
    with Writers(2, partial(Killed, tmp_path)) as two:  # type: ignore[arg-type]
        two.put([_keyed(1, 1)])
        with pytest.raises(WriterDied, match="ended with code -9: run the same command again"):
            two.finish()
