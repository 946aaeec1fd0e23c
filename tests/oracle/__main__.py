"""The exhaustive judge of fire times: every zone of the `tzdata` package, every transition from 1970 to 2100.

    python -m oracle                         all of it, on as many processes as the machine has cores
    python -m oracle --seed 7 --zones Europe # as it was, and only zones whose name begins so
    python -m oracle again ZONE EXPRESSION POLICY START_MS     one case, by the slowest oracle
    python -m oracle zone ZONE SECOND        one offset and one wall time

PYTHONPATH must name `src` and `tests`. The exit code is 1 if there is a difference.
"""

import argparse
import datetime as dt
import multiprocessing
import os
import random
import sys
import time
from pathlib import Path

from oracle import calendar_walk
from oracle import zones as zone_judge
from oracle.judging import Tally, zones
from oracle.phases import run
from support.oracle import corpus
from support.oracle import cron as slow
from support.oracle import zone as slow_zone
from tocsin.domain.schedule import Cron, DaylightPolicy
from tocsin.schedule import Compiler
from tocsin.schedule.timetables import NEVER


def everything(options: argparse.Namespace) -> int:
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    registry = zones()
    for name in corpus.names():
        registry.get(name)  # every name loads, links too
    names = [name for name in corpus.distinct() if name.startswith(options.zones)]
    print(f"seed {seed}; {len(corpus.names())} names load, {len(names)} distinct zones to judge", flush=True)
    tasks = [("zone", name, seed) for name in names] + [("calendar", days, seed) for days in calendar_walk.DAYS]
    random.Random(seed).shuffle(tasks)
    begun = shown = time.monotonic()
    totals: dict[str, Tally] = {}
    with multiprocessing.Pool(options.processes) as pool:
        for done, (subject, found) in enumerate(pool.imap_unordered(run, tasks), 1):
            for phase, tally in found.items():
                totals.setdefault(phase, Tally()).add(tally)
                for difference in tally.shown[:3]:
                    print(f"DIFFERENCE ({phase}) {difference}", flush=True)
            if time.monotonic() - shown > 15 or done == len(tasks):
                shown = time.monotonic()
                print(f"{shown - begun:6.0f} s {done:4} of {len(tasks)} {_line(totals)} ({subject})", flush=True)
    for phase, tally in totals.items():
        print(f"{phase:11} {_line({phase: tally})}, {tally.skipped:,} pairs skipped")
    differences = sum(tally.differences for tally in totals.values())
    print(f"seed {seed}: {differences} differences, {time.monotonic() - begun:.0f} s")
    return 1 if differences else 0


def _line(totals: dict[str, Tally]) -> str:
    whole = Tally()
    for tally in totals.values():
        whole.add(tally)
    return (
        f"{whole.windows:8,} places {whole.cases:11,} cases {whole.questions:14,} questions "
        f"{whole.differences} differences"
    )


def again(options: argparse.Namespace) -> int:
    """One case by the oracle that looks at every minute, without windows and sets."""
    compiler = Compiler(zones())
    number = compiler.compile((Cron(options.expression, options.zone, DaylightPolicy(options.policy)),))
    start = options.start_ms
    slow_zone.load = corpus.load
    days = 40
    low, high = start // 1000 - days * 86400, start // 1000 + days * 86400
    times = slow.fire_times(options.expression, options.zone, options.policy, low, high)
    after = min((at for at in times if at * 1000 > start), default=None)
    before = max((at for at in times if at * 1000 < start), default=None)
    for way, right, got in (
        ("next", after, compiler.next_after(number, start)),
        ("prev", before, compiler.prev_before(number, start)),
    ):
        answer = "never" if got == NEVER else dt.datetime.fromtimestamp(got // 1000, dt.UTC).isoformat()
        expected = f"none within {days} days" if right is None else dt.datetime.fromtimestamp(right, dt.UTC).isoformat()
        print(f"{way}: core {answer}, oracle {expected}")
    return 0


def one_zone(options: argparse.Namespace) -> int:
    known, ours = corpus.load(options.zone), zones().get(options.zone)
    print("offset: core", ours.offset_at(options.second), "zoneinfo", corpus.offset_at(known, options.second))
    print("utc:    core", ours.utc(options.second), "zoneinfo", zone_judge.meaning(known, options.second))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(call=everything)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--zones", default="", help="only zones whose name begins so")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    commands = parser.add_subparsers()
    command = commands.add_parser("again")
    command.set_defaults(call=again)
    command.add_argument("zone")
    command.add_argument("expression")
    command.add_argument("policy", choices=[policy.value for policy in DaylightPolicy])
    command.add_argument("start_ms", type=int)
    command = commands.add_parser("zone")
    command.set_defaults(call=one_zone)
    command.add_argument("zone")
    command.add_argument("second", type=int)
    options = parser.parse_args()
    return options.call(options)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main())
