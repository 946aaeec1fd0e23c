"""A week of two hundred jobs over the night the clocks change in Europe: on time means no miss, dead means each slot.

The fire times come from `zoneinfo` and plain arithmetic here, not from the schedules under test.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from support.engines import World
from tocsin.domain.check_in import ReportKind
from tocsin.domain.facts import IncidentOpened, Missed
from tocsin.domain.instant import DAY, HOUR, MINUTE, SECOND
from tocsin.domain.schedule import Cron, Daily, Interval, Rolling, Schedule, Unit

BEGIN = int(datetime(2026, 3, 25, 0, 0, 30, tzinfo=UTC).timestamp() * 1000)  # Wednesday; the clocks change on Sunday
END = BEGIN + 7 * DAY
ZONES = ["Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
MARGIN = 5 * MINUTE


def daily(zone: str, hour: int, minute: int) -> list[int]:
    """Every day at a wall-clock time; the end of the gap where that time does not exist."""
    place, times = ZoneInfo(zone), []
    day = datetime(2026, 3, 24)
    while day < datetime(2026, 4, 3):
        local = day.replace(hour=hour, minute=minute, tzinfo=place)
        back = local.astimezone(UTC).astimezone(place)
        if back.replace(tzinfo=None) != local.replace(tzinfo=None):
            back = back.replace(minute=0)  # 02:30 is 03:30 on the other side; the gap ends at 03:00
        times.append(int(back.timestamp() * 1000))
        day += timedelta(days=1)
    return times


def every(period: int, phase: int = 0) -> list[int]:
    return list(range(BEGIN - BEGIN % period + phase, END + DAY, period))


def jobs() -> list[tuple[Schedule, list[int]]]:
    """200 schedules with their times."""
    made: list[tuple[Schedule, list[int]]] = []
    for number in range(200):
        zone = ZONES[number % 5]
        hour, minute = number % 24, number * 7 % 60
        match number // 5 % 5:
            case 0:
                made.append((Cron(f"{minute} {hour} * * *", zone), daily(zone, hour, minute)))
            case 1:
                made.append((Daily((f"{hour:02}:{minute:02}",), zone), daily(zone, hour, minute)))
            case 2:
                made.append(
                    (Cron(f"{number % 10}-59/10 * * * *", "Europe/Vienna"), every(10 * MINUTE, number % 10 * MINUTE))
                )
            case 3:
                made.append((Interval(30 + number % 20, Unit.MINUTE), every((30 + number % 20) * MINUTE)))
            case _:
                made.append((Rolling(2 * HOUR + number * SECOND), every(2 * HOUR + number * SECOND)))
    return made


def test_a_week() -> None:
    world = World()
    schedules = jobs()
    dead = set(range(3, 200, 25))  # these report once and never again
    events = []
    for number, (schedule, times) in enumerate(schedules):
        world.put(BEGIN - 1000, f"job-{number}", schedules=(schedule,), margin_ms=MARGIN)
        mine = [at for at in times if BEGIN <= at < END]
        late = number * 977 % (60 * SECOND)  # each job starts a little after its time, always the same
        for at in mine[:1] if number in dead else mine:
            events.append((at + late, number))
    events.sort()
    clock = BEGIN
    for at, number in events:
        if at - clock > HOUR:
            world.tick(at)
            clock = at
        world.ok(at, monitor_id=f"job-{number}")
    world.tick(END)

    numbers = {monitor.number: int(monitor.id[4:]) for monitor, _ in world.kept.monitors.values()}
    misses = Counter(numbers[fact.check_in.monitor] for fact in world.of(Missed))
    assert set(misses) == dead
    assert len(world.of(IncidentOpened)) == len(dead)
    for number in dead:
        schedule, times = schedules[number]
        assert misses[number] == due(schedule, times, number * 977 % (60 * SECOND)), schedule


def due(schedule: Schedule, times: list[int], late: int) -> int:
    """Slots after the one report of a dead job whose deadline passed within the week."""
    first = next(at for at in times if at >= BEGIN) + late
    if isinstance(schedule, (Cron, Daily)):
        return sum(first < at and at + MARGIN < END for at in times)
    step = schedule.period_ms + MARGIN if isinstance(schedule, Rolling) else schedule.count * MINUTE
    count, slot = 0, first + (schedule.period_ms if isinstance(schedule, Rolling) else step)
    while -(-(slot + MARGIN) // SECOND) * SECOND < END:
        count += 1
        # A rolling timer starts anew at its deadline, a whole second; an interval goes on from the slot.
        slot = (
            -(-(slot + MARGIN) // SECOND) * SECOND + schedule.period_ms
            if isinstance(schedule, Rolling)
            else slot + step
        )
    return count


def test_a_week_without_ears_in_the_middle() -> None:
    """The same fleet, stopped for a night: nothing missed, one unknown at most for each job."""
    world = World()
    since, until = BEGIN + 3 * DAY, BEGIN + 3 * DAY + 9 * HOUR  # over the change of the clocks in Vienna
    events = []
    for number, (schedule, times) in enumerate(jobs()[:50]):
        world.put(BEGIN - 1000, f"job-{number}", schedules=(schedule,), margin_ms=MARGIN)
        events += [(at + SECOND, number) for at in times if BEGIN <= at < END]
    told = False
    for at, number in sorted(events):
        if since <= at < until:
            continue
        if at >= until and not told:
            world.deaf(since, until)
            world.restart()
            told = True
        world.step(at, world.command(ReportKind.OK, at, f"job-{number}"))
    world.tick(END)
    assert world.of(Missed) == []
    assert world.incidents() == []
    unknown = Counter(run.monitor for run in world.kept.check_ins.values() if run.state.value == "unknown")
    assert unknown
    assert max(unknown.values()) == 1
