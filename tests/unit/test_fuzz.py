"""A few inputs of a fixed seed for every parser (``python -m tests.fuzz`` has more), and that escapes would be told."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.__main__ import main
from tests.fuzz.mutate import mutated, sample_of
from tests.fuzz.run import Escape, Fuzzer, attempt
from tests.fuzz.targets import Target, targets

SEED = 20261127
INPUTS = 400
NAMES = [target.name for target in targets(Path())]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_escapes(name: str, tmp_path: Path) -> None:
    (target,) = (target for target in targets(tmp_path) if target.name == name)
    fuzzer = Fuzzer(target, SEED)
    assert [str(escape) for escape in fuzzer.block(INPUTS)] == []
    assert fuzzer.inputs == INPUTS
    assert len(fuzzer.outcomes) > 1, f"all inputs look alike: {fuzzer.outcomes}"


@pytest.mark.parametrize("name", NAMES)
def test_most_samples_are_read(name: str, tmp_path: Path) -> None:
    (target,) = (target for target in targets(tmp_path) if target.name == name)
    found: Counter[str] = Counter()
    assert [attempt(target, content, found) for content in target.samples] == [None] * len(target.samples)
    assert found["refused"] + found["not_json"] < len(target.samples) / 2, found


def test_the_same_seed_makes_the_same_inputs() -> None:
    seen: list[list[bytes]] = []
    for seed in (1, 1, 2):
        inputs: list[bytes] = []
        target = Target("x", (b'{"a": 1, "b": [2, "c"]}', b'{"d": {"e": null}}'), partial(keep, inputs))
        assert list(Fuzzer(target, seed).block(50)) == []
        seen.append(inputs)
    assert seen[0] == seen[1] != seen[2]
    assert len(set(seen[0])) > 40


def keep(inputs: list[bytes], content: bytes) -> str:
    inputs.append(content)
    return "read"


def fragile(content: bytes) -> str:
    if b"null" in content:
        raise KeyError("null")
    return "read"


def test_an_escape_is_told_once_with_its_input_and_can_be_tried_again() -> None:
    escapes = list(Fuzzer(Target("x", (b'{"a": 1}',), fragile), 1).block(1000))
    assert len(escapes) > 5
    assert {escape.place for escape in escapes} == {escapes[0].place}
    assert "KeyError in test_fuzz.py" in escapes[0].place
    again = attempt(Target("x", (), fragile), escapes[0].content, Counter())
    assert isinstance(again, Escape)
    assert again.place == escapes[0].place


def test_the_command_counts_and_says_how_much_escaped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--inputs", "200", "--parser", "fts.start", "--parser", "stomp", "--keep", str(tmp_path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in said[:2]] == [["fts.start", "100"], ["stomp", "100"]]
    assert said[2].startswith("200 inputs in ")
    assert said[2].endswith(", 0 escaped")
    assert main(["--parser", "none"]) == 2


def test_most_inputs_are_well_formed() -> None:
    content = b'{"a": 1, "b": [2, "c"], "d": {"e": null, "f": "g"}}'
    rng, good = Random(SEED), 0
    for _ in range(500):
        made = mutated(rng, [sample_of(content)])
        try:
            json.loads(made)
            good += 1
        except (ValueError, RecursionError):
            pass
    assert good > 250
