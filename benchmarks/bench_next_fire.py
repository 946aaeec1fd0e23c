"""How long the next fire time of a cron expression takes, beside cronsim and croniter.

Method: for each expression and zone a fixed list of start instants; every contender answers in interleaved rounds; a
figure is the median over rounds of nanoseconds for one answer, a ratio the median of the rounds' own ratios. Time is
CPU time of the thread, because on a busy machine wall time counts the others.
`call` is one Python call for each random start, so that nearly every answer is searched; `resident` asks on from the
last answer, as the peers' own iterators do; `fresh` builds the peer's object and asks once, as a program does that
keeps the text. `empty` is a Cython method that returns its argument, compiled for the occasion.
Batches: a million rows of 2,000 distinct (expression, zone) pairs in random order, each with its own instant, so that
no window helps (`mixed`), or all at one instant, so that nearly every row hits the window of another (`window`).
Answers are compared before anything is measured.
"""

import datetime as dt
import importlib.util
import random
import statistics
import tempfile
import time
import warnings
import zoneinfo
from array import array
from pathlib import Path

from common import HERE, Report, median_ratio
from Cython.Build import cythonize
from setuptools import Extension
from setuptools.dist import Distribution

from tocsin.app.tzdata import read_zone
from tocsin.domain.schedule import Cron
from tocsin.schedule import Compiler, Zones

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from croniter import croniter
    from cronsim import CronSim

CASES = [
    ("* * * * *", "UTC"),
    ("*/5 * * * *", "UTC"),
    ("*/5 * * * *", "America/New_York"),
    ("0 * * * *", "UTC"),
    ("30 2 * * *", "America/New_York"),
    ("0 9 * * MON-FRI", "Europe/Vienna"),
    ("0 0 29 2 *", "UTC"),
    ("0 0 * * 1#2", "UTC"),
    ("0 0 L * *", "UTC"),
]
JUDGED = 3  # the first cases: schedules of a minute and of five, for which there are bars
ZONES = ("UTC", "America/New_York", "Europe/Vienna", "Asia/Kolkata", "Australia/Sydney", "Asia/Tokyo")
BEGIN_S = 1_767_225_600  # 2026-01-01
YEAR_S = 31_536_000


def nanoseconds(work, count):
    begin = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - begin) / count


def compiled_empty():
    """`empty_call.Empty`, compiled in a folder that goes away."""
    folder = tempfile.mkdtemp()
    source = Extension("empty_call", [str(HERE / "empty_call.pyx")])
    modules = cythonize([source], build_dir=folder, language_level=3, quiet=True)
    command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
    command.build_lib = command.build_temp = folder
    command.ensure_finalized()
    command.run()
    path = next(Path(folder).rglob("empty_call*.so"), None) or next(Path(folder).rglob("empty_call*.pyd"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location("empty_call", path))
    module.__spec__.loader.exec_module(module)
    return module.Empty()


def call_each(method, number, starts):
    for start in starts:
        method(number, start)


def call_on(method, number, start, count):
    for _ in range(count):
        start = method(number, start)


def take(iterator, count):
    for _ in range(count):
        next(iterator)


def take_float(iterator, count):
    for _ in range(count):
        iterator.get_next(float)


def contenders(core, number, empty, text, name, *, starts, peers, fresh):
    """Name -> (work, number of answers), all over the same schedule."""
    zone = zoneinfo.ZoneInfo(name)
    instants = array("q", [start * 1000 for start in starts])
    out, numbers = array("q", bytes(8 * len(starts))), array("I", [number]) * len(starts)
    local = [dt.datetime.fromtimestamp(start, dt.UTC).astimezone(zone) for start in starts[:peers]]
    expected = [core.next_after(number, start * 1000) // 1000 for start in starts[:peers]]
    assert [int(next(CronSim(text, start)).timestamp()) for start in local] == expected
    assert [int(croniter(text, start).get_next(float)) for start in local[:fresh]] == expected[:fresh]
    listed, cronsim, other = list(instants), CronSim(text, local[0]), croniter(text, local[0])
    return {
        "search": (lambda: core.next_many(numbers, instants, out), len(starts)),
        "call": (lambda: call_each(core.next_after, number, listed), len(starts)),
        "empty": (lambda: call_each(empty.next_after, number, listed), len(starts)),
        "resident": (lambda: call_on(core.next_after, number, listed[0], len(starts)), len(starts)),
        "cronsim fresh": (lambda: [next(CronSim(text, start)) for start in local], peers),
        "cronsim resident": (lambda: take(cronsim, peers), peers),
        "croniter fresh": (lambda: [croniter(text, start).get_next(float) for start in local[:fresh]], fresh),
        "croniter resident": (lambda: take_float(other, fresh), fresh),
    }


def one_by_one(report, compiler, empty, rounds, count, peers, fresh):
    chooser = random.Random(1)
    for place, (text, name) in enumerate(CASES):
        starts = [BEGIN_S + chooser.randrange(YEAR_S) for _ in range(count)]
        number = compiler.compile((Cron(text, name),))
        work = contenders(compiler.timetables, number, empty, text, name, starts=starts, peers=peers, fresh=fresh)
        times = {who: [] for who in work}
        for _ in range(rounds):
            for who, (run, answers) in work.items():
                times[who].append(nanoseconds(run, answers))
        median = {who: statistics.median(values) for who, values in times.items()}
        title = f"next fire, {text} {name}"
        detail = f"searched in a batch: {median['search']:.1f} ns"
        bars = {"cronsim fresh": ("call", 180), "croniter fresh": ("call", 1000)}
        bars |= {"cronsim resident": ("resident", 50), "croniter resident": ("resident", 500)}
        for rival, (ours, bar) in bars.items():
            ratio = median_ratio(zip(times[rival], times[ours], strict=True))
            row = {"rival": rival, "rival_figure": median[rival], "ratio": ratio, "detail": detail}
            if place < JUDGED:
                report.at_least(f"{title}: {ours}", median[ours], "ns", bar=bar, **row)
            elif ours == "call":
                report.add(f"{title}: {ours}", median[ours], "ns", **row)
            detail = ""
        if place < JUDGED:
            for ours in ("call", "resident"):
                times_empty = median_ratio(zip(times[ours], times["empty"], strict=True))
                row = {"rival": "empty call, ns", "rival_figure": median["empty"]}
                report.at_most(f"{title}: {ours}, in empty calls", times_empty, "calls", bar=1.5, **row)


def batches(report, compiler, rounds, count):
    chooser = random.Random(2)
    schedules = []
    while len(schedules) < 2000:
        minute, hour = chooser.choice(["*", "*/5", "*/10", "0", "30"]), chooser.choice(["*", "*", "*/2", "2", "9-17"])
        day = chooser.choice(["*", "*", "*", "1", "L"])
        minute = str(chooser.randrange(60)) if chooser.random() < 0.5 else minute
        schedules.append(
            Cron(f"{minute} {hour} {day} * {chooser.choice(['*', '*', 'MON-FRI'])}", chooser.choice(ZONES))
        )
    known = [compiler.compile((schedule,)) for schedule in schedules]
    numbers = array("I", [chooser.choice(known) for _ in range(count)])
    mixed = array("q", [(BEGIN_S + chooser.randrange(YEAR_S)) * 1000 for _ in range(count)])
    same = array("q", [(BEGIN_S + YEAR_S // 3) * 1000 + 1]) * count
    out = array("q", bytes(8 * count))
    core = compiler.timetables
    peers = list(zip(numbers[:200], mixed[:200], strict=True))
    of = dict(zip(known, schedules, strict=True))
    local = [
        (of[n].expression, dt.datetime.fromtimestamp(at / 1000, zoneinfo.ZoneInfo(of[n].time_zone))) for n, at in peers
    ]
    times = {"mixed": [], "window": [], "cronsim": []}
    for _ in range(rounds):
        times["mixed"].append(nanoseconds(lambda: core.next_many(numbers, mixed, out), count))
        core.next_many(numbers, same, out)
        times["window"].append(nanoseconds(lambda: core.next_many(numbers, same, out), count))
        times["cronsim"].append(nanoseconds(lambda: [next(CronSim(*one)) for one in local], len(local)))
    for name, bar in (("mixed", 15), ("window", 100)):
        ns = statistics.median(times[name])
        ratio = median_ratio(zip(times["cronsim"], times[name], strict=True))
        report.at_least(
            f"next fire, batch of {count:,}: {name}", 1000 / ns, "million rows/s", bar=bar,
            detail=f"{ns:.1f} ns a row; cronsim, fresh: {statistics.median(times['cronsim']):,.0f} ns, {ratio:,.0f}x",
        )  # fmt: skip


def main():
    report = Report(__doc__)
    quick = report.parse().quick
    rounds, count, peers, fresh = (3, 10_000, 50, 10) if quick else (9, 100_000, 200, 40)
    compiler = Compiler(Zones(read_zone))
    one_by_one(report, compiler, compiled_empty(), rounds, count, peers, fresh)
    batches(report, compiler, rounds, 100_000 if quick else 1_000_000)
    report.end()


if __name__ == "__main__":
    main()
