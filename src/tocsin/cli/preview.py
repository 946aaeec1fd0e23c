"""tocsin monitors preview: when schedules of any kind fire, with the changes of the clocks marked. Needs no server."""

import datetime
import re
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from tocsin.app.tzdata import read_zone, tzdata_version, zone_names
from tocsin.domain.errors import TocsinError
from tocsin.domain.instant import Instant, to_rfc3339
from tocsin.domain.schedule import Cron, Daily, Interval, OnCalendar, Rolling, RRule, Schedule, Unit
from tocsin.node.clock import SystemClock
from tocsin.schedule import ClockChange, Compiler, FireTime, Placement, Zones, describe, fire_times, fire_times_before

_SPAN = re.compile(r"(\d{1,9})\s*([a-z]+)")
_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), Unit.SECOND),
    **dict.fromkeys(("m", "min", "minute", "minutes"), Unit.MINUTE),
    **dict.fromkeys(("h", "hour", "hours"), Unit.HOUR),
    **dict.fromkeys(("d", "day", "days"), Unit.DAY),
    **dict.fromkeys(("w", "week", "weeks"), Unit.WEEK),
    **dict.fromkeys(("month", "months"), Unit.MONTH),
    **dict.fromkeys(("y", "year", "years"), Unit.YEAR),
}
_MS: Final = {
    Unit.SECOND: 1000,
    Unit.MINUTE: 60_000,
    Unit.HOUR: 3_600_000,
    Unit.DAY: 86_400_000,
    Unit.WEEK: 604_800_000,
}
_PLACEMENTS: Final = {
    Placement.MOVED: "moved: its time is skipped that day",
    Placement.FIRST: "first pass of a repeated hour",
    Placement.SECOND: "second pass of a repeated hour",
}


@click.command()
@click.argument("expression", required=False)
@click.option("--every", multiple=True, help="Interval since the last report: 90s, 5m, 2h, 1d, 1w, 1month, 1y.")
@click.option("--at", multiple=True, help="Time of day, every day: 14:30 or 14:30:15. May be repeated.")
@click.option("--within", multiple=True, help="Rolling: so long after each signal: 10m.")
@click.option("--rrule", multiple=True, help="RFC 5545 rule: FREQ=WEEKLY;BYDAY=MO;BYHOUR=9.")
@click.option("--on-calendar", multiple=True, help="systemd calendar expression: Mon..Fri 08:00.")
@click.option("--time-zone", default="UTC", show_default=True)
@click.option("--count", type=click.IntRange(1, 1000), help="How many.  [default: 5; 1000 with --until]")
@click.option("--before", default=0, type=click.IntRange(0, 1000), help="How many before the start, too.")
@click.option("--from", "start", help="RFC 3339 time.  [default: now]")
@click.option("--until", "end", help="RFC 3339 time: nothing after it.")
def preview(
    expression: str | None,
    every: tuple[str, ...],
    at: tuple[str, ...],
    within: tuple[str, ...],
    rrule: tuple[str, ...],
    on_calendar: tuple[str, ...],
    time_zone: str,
    count: int | None,
    before: int,
    start: str | None,
    end: str | None,
) -> None:
    """Print when a cron EXPRESSION fires, or other schedules, in UTC and local time. Several are due as one."""
    schedules: list[Schedule] = [] if expression is None else [Cron(expression, time_zone)]
    schedules += [_interval(text, time_zone) for text in every]
    schedules += [Daily(at, time_zone)] if at else []
    schedules += [_rolling(text) for text in within]
    schedules += [RRule(text, time_zone) for text in rrule]
    schedules += [OnCalendar(text, time_zone) for text in on_calendar]
    if not schedules:
        raise click.UsageError("name a schedule: a cron EXPRESSION, --every, --at, --within, --rrule or --on-calendar")
    since = SystemClock().now() if start is None else _instant("--from", start)
    until = None if end is None else _instant("--until", end)
    if until is not None and until < since:
        raise click.ClickException("--until: lies before --from")
    compiler, wanted = Compiler(Zones(read_zone, zone_names)), tuple(schedules)
    try:
        past = fire_times_before(compiler, wanted, since, before)
        found = fire_times(compiler, wanted, since, count or (5 if until is None else 1000), until_ms=until)
        click.echo(f"{describe(wanted)}   (time zones {tzdata_version()})")
    except TocsinError as error:
        raise click.ClickException(error.message) from None
    _print(past, found)


def _print(past: list[FireTime], found: list[FireTime]) -> None:
    table = Table(box=None, header_style="bold")
    for title in ("", "UTC", "LOCAL", "CLOCKS"):
        table.add_column(title, no_wrap=True)
    for mark, times in (("-", past), ("+", found)):
        for number, fire in enumerate(times):
            place = len(past) - number if mark == "-" else number + 1
            table.add_row(
                f"{mark}{place}", to_rfc3339(fire.at_ms), _local(fire.at_ms, fire.utc_offset_s), _clocks(fire)
            )
    console = Console()
    if not console.is_terminal:
        console.width = 1_000
    console.print(table)
    if not found:
        click.echo("nothing to come")


def _clocks(fire: FireTime) -> str:
    """What the clocks did since the line before, in the time that they showed until then."""
    said: list[str] = []
    offset_s = fire.utc_offset_s
    for change in reversed(fire.changes[-3:]):
        offset_s -= change.shift_s
        said.insert(0, _change(change, offset_s))
    if fire.placement in _PLACEMENTS:
        said.append(_PLACEMENTS[fire.placement])
    return "; ".join(said)


def _change(change: ClockChange, offset_s: int) -> str:
    """Says `clocks go forward 1 h on Sun 2026-03-29 at 02:00:00`."""
    minutes, seconds = divmod(abs(change.shift_s), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (seconds, "s")) if number]
    way = "forward" if change.shift_s > 0 else "back"
    day, _, rest = _local(change.at_ms, offset_s).rpartition(" ")[0].rpartition(" ")
    return f"clocks go {way} {' '.join(parts)} on {day} at {rest}"


def _local(at: Instant, offset_s: int) -> str:
    zone = datetime.timezone(datetime.timedelta(seconds=offset_s))
    try:
        return datetime.datetime.fromtimestamp(at / 1000, zone).strftime("%a %Y-%m-%d %H:%M:%S %z")
    except (OverflowError, ValueError):  # beyond the years that Python writes
        return ""


def _interval(text: str, time_zone: str) -> Interval:
    count, unit = _span("--every", text)
    return Interval(count, unit, time_zone)


def _rolling(text: str) -> Rolling:
    count, unit = _span("--within", text)
    if unit not in _MS:
        raise click.ClickException(f"--within: {text!r} has no fixed length")
    return Rolling(count * _MS[unit])


def _span(option: str, text: str) -> tuple[int, Unit]:
    match = _SPAN.fullmatch(text.strip().lower())
    if not match or match[2] not in _UNITS:
        raise click.ClickException(f"{option}: {text!r} is not a span such as 90s, 5m, 2h, 1d, 1w, 1month or 1y")
    return int(match[1]), _UNITS[match[2]]


def _instant(option: str, text: str) -> Instant:
    try:
        found = datetime.datetime.fromisoformat(text)
        return round((found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise click.ClickException(f"{option}: {text!r} is not an RFC 3339 time") from None
