"""The log of all runs, a JSON line each, and the table that is made of it."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from pipeline.cli.machine import machine
from tests.chaos.recovery import LIMIT_S
from tests.chaos.run import Outcome
from tests.chaos.schedule import KINDS, Schedule

LOG = Path(__file__).with_name("campaign.jsonl")
TABLE = Path(__file__).with_name("RESULTS.md")

Line = dict[str, Any]


def append(planned: Schedule, outcome: Outcome, scale: float, seconds: float) -> None:
    """Add a run to the log."""
    with LOG.open("a", encoding="utf-8") as log:
        log.write(json.dumps(line(planned, outcome, scale, seconds) | _origin()) + "\n")


def line(planned: Schedule, outcome: Outcome, scale: float, seconds: float) -> Line:
    """A run as the log has it, without when and where it was. Counts are null for a run that did not end."""
    verdict = outcome.verdict
    return {
        "seed": planned.seed,
        "scale": scale,
        "good": outcome.is_good,
        "messages": verdict and verdict.messages,
        "lost": verdict and verdict.lost,
        "doubled": verdict and verdict.doubled,
        "unequal": verdict and verdict.unequal,
        "faults": [{"kinds": played.kinds, "recovery_s": played.recovery_s} for played in outcome.played],
        "planned": planned.kinds,
        "trouble": outcome.trouble[:500],
        "seconds": round(seconds),
    }


def write_table() -> None:
    """Make the table of the log."""
    with LOG.open(encoding="utf-8") as log:
        TABLE.write_text("\n".join(table([json.loads(text) for text in log])) + "\n", encoding="utf-8")


def table(lines: Sequence[Line]) -> Iterator[str]:
    """The log as Markdown, line by line: all runs, each kind of fault, the runs that were not good."""
    yield "# Fault campaign"
    yield ""
    yield "Made by `python -m tests.chaos --table` from `campaign.jsonl`, which has a line for each run;"
    yield "[`tests/README.md`](../README.md#the-fault-campaign) says what a run is."
    yield ""
    ended = [each for each in lines if each["messages"] is not None]
    good = [each for each in lines if each["good"]]
    days = sorted({each["date"][:10] for each in lines})
    yield f"**{len(lines)} runs** from {days[0]} to {days[-1]} (days: {len(days)}), {len(good)} of them good;"
    yield f"{_sum(ended, 'messages'):,} messages, {_sum(ended, 'lost')} lost, {_sum(ended, 'doubled')} doubled,"
    yield f"{_sum(ended, 'unequal')} rows or cells unequal. Good means: nothing lost, nothing doubled, all cells equal,"
    yield f"and messages moved again at most {LIMIT_S:.0f} s after each fault."
    yield ""
    yield "Recovery counts from the end of the fault until each broker is rid of further messages and each partition"
    yield "in which some waited has been committed further. Of faults that came together it stands with both."
    yield ""
    yield "| fault | what | runs | messages | lost | doubled | recovery, median s | worst s |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for kind, found in KINDS.items():
        its = [each for each in ended if any(kind in fault["kinds"] for fault in each["faults"])]
        took = [fault["recovery_s"] for each in its for fault in each["faults"] if kind in fault["kinds"]]
        took = [seconds for seconds in took if seconds is not None]  # the first runs could not always tell
        times = f"{median(took):.1f} | {max(took):.1f}" if took else "– | –"
        counts = " | ".join(f"{_sum(its, name):,}" for name in ("messages", "lost", "doubled"))
        yield f"| {kind} | {found.meaning} | {len(its)} | {counts} | {times} |"
    bad = [each for each in lines if not each["good"]]
    if bad:
        yield ""
        yield "## Runs that were not good"
        yield ""
        yield "| date | commit | seed | faults | what | why |"
        yield "|---|---|--:|---|---|---|"
        for each in bad:
            yield (
                f"| {each['date']} | {each['commit']} | {each['seed']} | {', '.join(each['planned'])}"
                f" | {_what(each)} | {each.get('why', '')} |"
            )
    yield ""
    yield "## Machines"
    yield ""
    runs: dict[str, int] = defaultdict(int)
    for each in lines:
        runs[each["machine"]] += 1
    for name, number in runs.items():
        yield f"- {name}: {number} runs"


def _what(line: Line) -> str:
    """What was wrong with a run, in a few words."""
    if line["messages"] is None:
        return str(line["trouble"]).splitlines()[0].replace("|", "\\|")[:160]
    if line["lost"] or line["doubled"] or line["unequal"]:
        return f"{line['lost']} lost, {line['doubled']} doubled, {line['unequal']} unequal"
    return f"recovery {max(fault['recovery_s'] or 0.0 for fault in line['faults'])} s"


def _sum(lines: Sequence[Line], name: str) -> int:
    return sum(each[name] for each in lines)


def _origin() -> Line:
    facts = machine()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": f"{facts['cores']} cores of {facts['processor']}, {facts['memory_gib']} GiB",
        "load": facts["load_1m"],
    }


def _commit() -> str:
    """What is checked out, with a + where code was changed since."""

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *arguments], cwd=LOG.parents[2], capture_output=True, text=True, check=False)

    changed = git("diff", "--quiet", "HEAD", "--", "*.py").returncode
    return git("rev-parse", "--short", "HEAD").stdout.strip() + ("+" if changed else "")
