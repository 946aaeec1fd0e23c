"""How long it takes to read a cron expression, beside building a CronSim and a croniter from it.

Method: every contender reads the same expression from the same text in interleaved rounds, one Python call each; the
figure is the median over rounds of nanoseconds of CPU time for one, the ratio the median of the rounds' own. Ours makes
the `Cron` that a timetable takes; the peers make the object that answers, which begins at a given time and is not
asked. `refused` is a wrong expression, exception and all. What the readers found is compared before: the first time
after the start must be the same.
"""

import contextlib
import datetime as dt
import statistics
import time
import warnings

from common import Report, median_ratio

from tocsin._core.cron_text import Refused, parse
from tocsin.app.tzdata import read_zone
from tocsin.domain.schedule import Cron
from tocsin.schedule import Compiler, Zones

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from croniter import croniter
    from cronsim import CronSim

CASES = [
    "* * * * *",
    "*/5 * * * *",
    "30 2 * * *",
    "0 9 * * MON-FRI",
    "*/5 9-17 * * MON-FRI",
    "0 0 29 2 *",
    "0 0 * * 1#2",
    "0 0 L * *",
    "0,10,20,30,40,50 8-18 1,15 JAN-JUN *",
]
START = dt.datetime(2026, 6, 1, 10, 0, 30, tzinfo=dt.UTC)


def nanoseconds(work, text, count):
    begin = time.thread_time_ns()
    for _ in range(count):
        work(text)
    return (time.thread_time_ns() - begin) / count


def refused(_):
    with contextlib.suppress(Refused):
        parse("*/5 9-17 * * MOON")


def main():
    report = Report(__doc__)
    quick = report.parse().quick
    rounds, count, peers = (3, 2_000, 50) if quick else (11, 50_000, 1_000)
    contenders = {
        "ours": (parse, count),
        "cronsim": (lambda text: CronSim(text, START), peers),
        "croniter": (lambda text: croniter(text, START), peers // 4),
        "refused": (refused, count // 10),
    }
    compiler = Compiler(Zones(read_zone))
    print("ns for each expression; x = ratio to ours")
    print(f"{'expression':38} {'ours':>6} {'cronsim':>17} {'croniter':>17} {'refused':>8}")
    for text in CASES:
        expected = compiler.next_after(compiler.compile((Cron(text),)), int(START.timestamp() * 1000)) // 1000
        assert int(next(CronSim(text, START)).timestamp()) == expected
        assert int(croniter(text, START).get_next(float)) == expected
        times = {who: [] for who in contenders}
        for _ in range(rounds):
            for who, (work, calls) in contenders.items():
                times[who].append(nanoseconds(work, text, calls))
        median = {who: statistics.median(values) for who, values in times.items()}

        def ratio(who, times=times):
            return median_ratio(zip(times[who], times["ours"], strict=True))

        row = "".join(f"{median[who]:11.0f} {ratio(who):4.0f}x" for who in ("cronsim", "croniter"))
        print(f"{text:38} {median['ours']:6.0f} {row} {median['refused']:8.0f}")
        report.at_least(
            f"read: {text}",
            median["ours"],
            "ns",
            bar=100.0,
            rival="cronsim",
            rival_figure=median["cronsim"],
            ratio=ratio("cronsim"),
            detail=f"croniter {median['croniter']:,.0f} ns",
        )
    report.end(show=False)


if __name__ == "__main__":
    main()
