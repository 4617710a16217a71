"""``python -m tests.fuzz --inputs N --seed S``: that many inputs for the parsers together, and what escaped."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.fuzz.run import BLOCK, Escape, Fuzzer, attempt
from tests.fuzz.targets import Target, targets, temporary

_LINE_EVERY_S = 30.0
_COMMONEST = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when nothing escaped."""
    asked = _arguments().parse_args(arguments)
    with temporary() as folder:
        chosen = [t for t in targets(Path(folder)) if not asked.parser or t.name in asked.parser]
        if not chosen:
            print("no such parser: " + ", ".join(target.name for target in targets(Path(folder))), file=sys.stderr)
            return 2
        if asked.again:
            return _again(chosen, asked.again.read_bytes())
        return _fuzz([Fuzzer(target, asked.seed) for target in chosen], asked.inputs, asked.keep)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for all parsers together, in equal shares")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same inputs")
    parser.add_argument("--parser", action="append", metavar="NAME", help="only this one; repeated: several")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"), help="folder for inputs that escaped")
    parser.add_argument("--again", type=Path, metavar="FILE", help="try only the input in this file, which was kept")
    return parser


def _again(chosen: Sequence[Target], content: bytes) -> int:
    escapes = [escape for target in chosen if (escape := attempt(target, content, Counter())) is not None]
    for escape in escapes:
        print(escape)
        if escape.error is not None:
            raise escape.error
    return 1 if escapes else 0


def _fuzz(fuzzers: Sequence[Fuzzer], inputs: int, keep: Path) -> int:
    """Ctrl-C ends it with what it has found so far."""
    escapes: Counter[str] = Counter()
    began = time.monotonic()
    with suppress(KeyboardInterrupt):
        _all(fuzzers, -(-inputs // len(fuzzers)), keep, escapes)
    for fuzzer in fuzzers:
        print(_line(fuzzer))
    print(_progress(fuzzers, escapes, began))
    return 1 if escapes else 0


def _all(fuzzers: Sequence[Fuzzer], share: int, keep: Path, escapes: Counter[str]) -> None:
    began = told_at = time.monotonic()
    while any(fuzzer.inputs < share for fuzzer in fuzzers):
        for fuzzer in fuzzers:
            for escape in fuzzer.block(min(BLOCK, share - fuzzer.inputs)):
                _keep(escape, keep, escapes)
        if time.monotonic() - told_at > _LINE_EVERY_S:
            told_at = time.monotonic()
            print(_progress(fuzzers, escapes, began), flush=True)


def _keep(escape: Escape, keep: Path, escapes: Counter[str]) -> None:
    """One input of each fault is kept."""
    escapes[escape.place] += 1
    if escapes[escape.place] > 1:
        return
    keep.mkdir(parents=True, exist_ok=True)
    path = keep / f"{escape.parser}-{hashlib.sha256(escape.content).hexdigest()[:12]}"
    path.write_bytes(escape.content)
    again = f"python -m tests.fuzz --parser {escape.parser} --again {path}"
    print(f"{escape}\n  {escape.content[:200]!r}\n  {again}", flush=True)


def _progress(fuzzers: Sequence[Fuzzer], escapes: Counter[str], began: float) -> str:
    done, seconds = sum(fuzzer.inputs for fuzzer in fuzzers), time.monotonic() - began
    return f"{done:,} inputs in {seconds:,.0f} s ({done / seconds:,.0f}/s), {escapes.total():,} escaped"


def _line(fuzzer: Fuzzer) -> str:
    each = fuzzer.seconds / max(1, fuzzer.inputs) * 1e6
    became = ", ".join(f"{what} {count / fuzzer.inputs:.0%}" for what, count in fuzzer.outcomes.most_common(_COMMONEST))
    return f"{fuzzer.target.name:22} {fuzzer.inputs:>12,} inputs, {each:4.0f} us each: {became}"


if __name__ == "__main__":
    sys.exit(main())
