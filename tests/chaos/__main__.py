"""``python -m tests.chaos``: runs with random faults on real services, each held against an independent recount."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from pipeline.devstack.errors import StackError
from tests.chaos import campaign, site
from tests.chaos.faults import impossible
from tests.chaos.run import Outcome, run
from tests.chaos.schedule import KINDS, Schedule, schedule

_SCALE = 0.1
_RUNS_OF_A_SITE = 25
"""A site is made anew after so many, and after a run that lost something or did not end: what it gathers must not make
later runs differ from earlier ones."""


def main() -> int:
    options = _options()
    if options.table:
        campaign.write_table()
        return 0
    folder = Path(options.keep or tempfile.mkdtemp(prefix="transferscope-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    failed = void = 0
    seeds = list(range(options.seed, options.seed + options.runs))
    while seeds:
        place = folder / f"site-{seeds[0]}"
        place.mkdir()
        with ExitStack() as opened:
            current = opened.enter_context(site.opened(place))
            for kind, why in impossible(current).items():
                print(f"left out: {kind} ({why})", flush=True)
            for _ in range(_RUNS_OF_A_SITE):
                if not seeds:
                    break
                planned = schedule(seeds.pop(0), options.scale, options.only or KINDS).without(impossible(current))
                try:
                    outcome = _one(current, planned, folder, options)
                except StackError as error:
                    print(f"  no run, a service did not come up: {error}", flush=True)
                    void += 1
                    break
                failed += not outcome.is_good
                if outcome.verdict is None or not outcome.verdict.is_good:
                    break
        shutil.rmtree(place)
    good = options.runs - failed - void
    print(f"{good} of {options.runs} runs good, {failed} not, {void} void; what is left of them is in {folder}")
    return 1 if failed or void else 0


def _one(current: site.Site, planned: Schedule, folder: Path, options: argparse.Namespace) -> Outcome:
    """A run, told and logged; its folder is kept when it was not good."""
    print(planned, flush=True)
    its_folder = folder / f"run-{planned.seed}"
    its_folder.mkdir()
    began = time.monotonic()
    outcome = run(current, planned, its_folder)
    seconds = time.monotonic() - began
    print(f"  {_sentence(outcome)}; {seconds:.0f} s", flush=True)
    if options.log:
        campaign.append(planned, outcome, options.scale, seconds)
    if outcome.is_good:
        shutil.rmtree(its_folder)
        return outcome
    told = outcome.verdict.told if outcome.verdict else (outcome.trouble,)
    (its_folder / "differences.txt").write_text("\n".join((str(planned), *told)) + "\n")
    for name, stack in (("first", current.stack), ("second", current.brokers[1].stack)):
        shutil.copytree(stack.logs("supervisor").parent, its_folder / name)
    print(f"  NOT GOOD: {its_folder}; once more: python -m tests.chaos --seed {planned.seed}", flush=True)
    return outcome


def _sentence(outcome: Outcome) -> str:
    recovered = ", ".join(f"{played.recovery_s} s after {' + '.join(played.kinds)}" for played in outcome.played)
    if outcome.verdict is None:
        return f"did not end ({outcome.trouble[:300]}); recovered {recovered or 'never'}"
    messages, lost, doubled, unequal, _ = outcome.verdict
    return f"{messages} messages, {lost} lost, {doubled} doubled, {unequal} cells unequal; recovered {recovered}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="how many, with seeds from --seed on (default 1)")
    parser.add_argument("--seed", type=int, default=1, help="decides the schedule and the messages (default 1)")
    parser.add_argument(
        "--scale", type=float, default=_SCALE, help=f"share of their full length that faults last (default {_SCALE})"
    )
    parser.add_argument("--only", action="append", choices=list(KINDS), help="kinds of fault to draw from; repeatable")
    parser.add_argument("--keep", metavar="FOLDER", help="where the folders of runs go that are not good")
    parser.add_argument("--log", action="store_true", help=f"append each run to {campaign.LOG.name}")
    parser.add_argument("--table", action="store_true", help=f"run nothing: write {campaign.TABLE.name} from the log")
    return parser.parse_args()


if __name__ == "__main__":
    for ends in (signal.SIGINT, signal.SIGTERM):  # in the background too: disks are unmounted, services stopped
        signal.signal(ends, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
