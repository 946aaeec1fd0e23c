"""Intervals by `datetime`: real time for short units, the wall clock for long ones, one unit at a time."""

import datetime as dt

from support.oracle import civil, zone

SHORT = {"second": 1, "minute": 60, "hour": 3600}


def step(name: str, count: int, unit: str, reference_ms: int, steps: int = 1) -> int:
    """`steps` times `count` units after the reference, counted at once."""
    amount = count * steps
    if unit in SHORT:
        return reference_ms + amount * SHORT[unit] * 1000
    seconds, ms = divmod(reference_ms, 1000)
    wall = seconds + zone.offset_at(name, seconds)
    days, time = divmod(wall, 86400)
    if unit in ("day", "week"):
        days += amount * (7 if unit == "week" else 1)
    else:
        days = civil.add_months(days, amount * (12 if unit == "year" else 1))
    return at_wall(name, days * 86400 + time) * 1000 + ms


def at_wall(name: str, wall: int) -> int:
    """The first instant of a wall time; one that does not exist is read with the offset from before the gap."""
    instants = zone.instants(name, wall)
    if instants:
        return instants[0]
    second = wall - 93600
    while second + zone.offset_at(name, second) < wall:  # up to the end of the gap
        second += 60
    return wall - zone.offset_at(name, second - 60)


def truncated(name: str, instant_ms: int, reference_ms: int) -> int:
    seconds = instant_ms // 1000
    wall = dt.datetime.fromtimestamp(seconds, dt.UTC).astimezone(zone.load(name))
    minute = seconds - wall.second
    return minute * 1000 if minute * 1000 > reference_ms else minute * 1000 + 60_000
