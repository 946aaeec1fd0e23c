"""The apply path alone: from rows of reports to rosters, deadlines and recorded check-ins, at a million monitors.

Method: monitors of 240 policies (cron of five kinds, daily times, intervals; twelve zones) wait for a slot that has
come. A day later each time, an OK of each comes in random order, in batches of 1,000, through the engine's own entry:
key, probe, next fire, track, deadline, check-in. The delta is taken for each batch and thrown away: no database. CPU
time of the process, so that what else the machine does is left out; the best of a few rounds on both sides. The rival
is the Python path: a dict, cronsim, heapq.
"""

import datetime as dt
import heapq
import random
import time
from zoneinfo import ZoneInfo

from bench_engine import chunks, monitor_rows
from common import Report
from cronsim import CronSim

from tocsin._core.batch import KINDS, Batch
from tocsin.app.tzdata import read_zone
from tocsin.domain.commands import Entry, ReportBatch
from tocsin.domain.instant import DAY, HOUR, NEVER
from tocsin.domain.monitor import Policy, Tolerance
from tocsin.domain.schedule import Cron, Daily, Interval, Unit
from tocsin.engine.engine import Engine, EngineSettings
from tocsin.engine.memory import Snapshot
from tocsin.schedule import Compiler, Zones

NOW = 1_800_000_000_000
BATCH = 1_000
MARGIN = 90 * DAY
ZONES = (
    *("UTC", "Europe/Vienna", "Europe/London", "America/New_York", "America/Chicago", "America/Los_Angeles"),
    *("America/Sao_Paulo", "Asia/Kolkata", "Asia/Tokyo", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Tehran"),
)
CRONS = ("*/5 * * * *", "0 * * * *", "30 4 * * *", "0 9 * * MON-FRI", "15 3 1 * *")


def schedules():
    for turn in range(20):
        for zone in ZONES:
            if turn < 15:
                minute, rest = CRONS[turn % 5].split(" ", 1)
                yield Cron(f"{turn} {rest}" if minute.isdigit() else f"*/{turn // 5 + 4} {rest}", zone)
            elif turn < 17:
                yield Daily((f"{turn}:30", "03:05"), zone)
            else:
                yield Interval(turn - 14, Unit.HOUR if turn < 19 else Unit.DAY, zone)


def loaded(monitors: int, *, kernels: bool) -> Engine:
    policies = [
        (number, Policy(schedules=(schedule,), tolerance=Tolerance(margin_ms=MARGIN)))
        for number, schedule in enumerate(schedules(), start=1)
    ]
    engine = Engine(Compiler(Zones(read_zone)), EngineSettings(kernels=kernels))
    timetables = engine.state.compiler
    before = [NOW] + [timetables.prev_before(timetables.compile(policy.schedules), NOW) for _, policy in policies]
    engine.load(
        Snapshot(
            clock=NOW,
            policies=policies,
            environments=[(1, "production")],
            monitors=chunks(monitor_rows(monitors, len(policies))),
            tracks=chunks(track_rows(monitors, before)),
            open_runs=(),
            open_incidents=(),
            after=(),
            sequences={"monitor": monitors, "track": monitors},
        )
    )
    return engine


def track_rows(monitors, before):
    policies = len(before) - 1
    for number in range(1, monitors + 1):
        slot = before[number % policies + 1]
        times = (slot, slot // 1000 * 1000 + 1000 + MARGIN, NEVER, slot - HOUR, slot - HOUR, slot - HOUR, 1000)
        yield number, number, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, *times, 7, 0, 0, 0, 0, 0, 0, NEVER, 0


def batches(names):
    """Rows that the kernel reads, filled beforehand."""
    for first in range(0, len(names), BATCH):
        batch = Batch()
        for name in names[first : first + BATCH]:
            batch.append(name, KINDS.index("OK"), duration=1234)
        yield batch


def step(engine, made, at):
    """CPU seconds, and how many rows the kernel did."""
    plain = 0
    entries = [Entry(at, ReportBatch(1, batch, at, {})) for batch in made]
    begin = time.process_time()
    for entry in entries:
        plain += len(engine.step(entry).batch.recorded)
        engine.take()
    return time.process_time() - begin, plain


def rival(names):
    """CPU seconds of the Python path for these reports."""
    plans = list(schedules())
    heap, kept, at = [], {}, NOW + 1_000
    for name in names:
        plan = plans[int(name.split("-")[1]) % len(plans)]
        expression = plan.expression if isinstance(plan, Cron) else "30 12 * * *"
        kept[name] = [expression, ZoneInfo(plan.time_zone), NOW, "ok", 0]
    begin = time.process_time()
    for name in names:
        monitor = kept[name]
        local = dt.datetime.fromtimestamp(at / 1000, monitor[1])
        monitor[2] = int(next(CronSim(monitor[0], local)).timestamp() * 1000) + MARGIN
        monitor[3], monitor[4] = "ok", monitor[4] + 1
        heapq.heappush(heap, (monitor[2], name))
    return time.process_time() - begin


def main() -> None:
    report = Report(__doc__)
    options = report.parse()
    monitors, checked = (20_000, 500) if options.quick else (1_000_000, 5_000)
    chance = random.Random(20260101)
    names = [f"monitor-{number}" for number in range(1, monitors + 1)]
    chance.shuffle(names)
    engine = loaded(monitors, kernels=True)
    made = list(batches(names))
    rounds = []
    for turn in range(2 if options.quick else 4):
        theirs = rival(names[:checked]) / checked
        seconds, plain = step(engine, made, NOW + turn * DAY + 1_000)
        if plain != monitors:
            raise SystemExit(f"{plain} of {monitors} reports were plain")
        rounds.append((seconds / monitors, theirs))
        chance.shuffle(made)
    ours, theirs = min(rounds)[0], min(their for _, their in rounds)
    detail = f"{monitors:,} monitors, 240 policies, random order; first round {1 / rounds[0][0]:,.0f}/s"
    report.at_least("apply: plain reports", 1 / ours, "/s/core", bar=3e6 if not options.quick else 0, detail=detail)
    report.at_least(
        "apply: beside the Python path", 1 / ours, "/s/core", bar=200 if not options.quick else 0,
        rival="cronsim + heapq + dict", rival_figure=1 / theirs, ratio=theirs / ours,
    )  # fmt: skip
    slow = loaded(min(monitors, 20_000), kernels=False)
    few = list(batches([name for name in names if int(name.split("-")[1]) <= 20_000][:5_000]))
    seconds, _ = step(slow, few, NOW + 1_000)
    report.add("apply: the same rows through the rules", sum(map(len, few)) / seconds, "/s/core")
    report.end()


if __name__ == "__main__":
    main()
