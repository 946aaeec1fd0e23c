"""How long the next fire time of a cron expression takes, beside cronsim and croniter.

Method: for each expression and zone a fixed list of start instants; every contender answers the same starts in
interleaved rounds; the figure is the median over rounds of nanoseconds for one answer, the ratio the median of the
rounds' own ratios. `search` computes every answer (starts are far apart); `window` asks again inside the window of the
last answer; `one call` is a Python call each. The peers get aware datetimes made beforehand and return datetimes.
Answers are compared before anything is measured.
"""

import datetime as dt
import random
import statistics
import time
import warnings
import zoneinfo
from array import array

from common import Report

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
BEGIN_S = 1_767_225_600  # 2026-01-01
YEAR_S = 31_536_000


def nanoseconds(work, count):
    begin = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begin) / count


def contenders(text, name, *, starts, peer_starts, fresh):
    """Name -> (work, number of answers), all over the same schedule."""
    compiler = Compiler(Zones(read_zone))
    number = compiler.compile((Cron(text, name),))
    core = compiler.timetables
    zone = zoneinfo.ZoneInfo(name)
    numbers = array("I", [number]) * len(starts)
    instants = array("q", [start * 1000 for start in starts])
    near = array("q", [core.next_after(number, starts[0] * 1000) - 1]) * len(starts)
    out = array("q", bytes(8 * len(starts)))
    local = [dt.datetime.fromtimestamp(start, dt.UTC).astimezone(zone) for start in peer_starts]
    expected = [core.next_after(number, start * 1000) // 1000 for start in peer_starts]
    assert [int(next(CronSim(text, start)).timestamp()) for start in local] == expected
    assert [int(croniter(text, start).get_next(float)) for start in local[:fresh]] == expected[:fresh]
    listed = list(instants)
    return {
        "search": (lambda: core.next_many(numbers, instants, out), len(starts)),
        "window": (lambda: core.next_many(numbers, near, out), len(starts)),
        "one call": (lambda: [core.next_after(number, start) for start in listed], len(starts)),
        "cronsim": (lambda: [next(CronSim(text, start)) for start in local], len(local)),
        "croniter": (lambda: [croniter(text, start).get_next(float) for start in local[:fresh]], fresh),
    }


def main():
    report = Report(__doc__)
    quick = report.parse().quick
    rounds, count, peers, fresh = (3, 10_000, 50, 10) if quick else (9, 100_000, 200, 40)
    chooser = random.Random(1)
    print("ns for each answer; x = ratio to search")
    print(f"{'schedule':34} {'search':>8} {'window':>8} {'one call':>9} {'cronsim':>17} {'croniter':>17}")
    for text, name in CASES:
        starts = [BEGIN_S + chooser.randrange(YEAR_S) for _ in range(count)]
        work = contenders(text, name, starts=starts, peer_starts=starts[:peers], fresh=fresh)
        times = {who: [] for who in work}
        for _ in range(rounds):
            for who, (run, answers) in work.items():
                times[who].append(nanoseconds(run, answers))
        median = {who: statistics.median(values) for who, values in times.items()}

        def ratio(who, times=times):
            return statistics.median(peer / ours for peer, ours in zip(times[who], times["search"], strict=True))

        row = f"{text + ' ' + name:34} {median['search']:8.1f} {median['window']:8.1f} {median['one call']:9.0f}"
        print(row + "".join(f"{median[who]:11.0f} {ratio(who):5.0f}x" for who in ("cronsim", "croniter")))
        report.add(
            f"next fire: {text} {name}",
            median["search"],
            "ns",
            rival="cronsim",
            rival_figure=median["cronsim"],
            ratio=ratio("cronsim"),
            detail=f"in a window {median['window']:.1f} ns, one Python call {median['one call']:.0f} ns",
        )
    report.end(show=False)


if __name__ == "__main__":
    main()
