"""TZif bytes (RFC 9636, versions 1 to 4) become the two arrays of `tocsin._core.zone.Zone`.

Transitions are UTC seconds, offsets seconds east, one more than transitions: the first holds before all of them.
The footer, a POSIX rule such as `CET-1CEST,M3.5.0,M10.5.0/3`, says what happens after the last transition. It is
written out for 402 years, after which the calendar repeats and so does `Zone`.

A pure function on bytes; malformed input is a ValueError which says what is wrong.
"""

import itertools
import re
import struct
from array import array
from typing import NamedTuple

from tocsin._core import civil

CYCLE_S = 146097 * 86400
_HEADER = struct.Struct(">4sc15x6l")
_FOOTER = re.compile(
    r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)(?P<std>[+-]?[0-9:]+)"
    r"(?:(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)(?P<dst>[+-]?[0-9:]+)?,(?P<start>[^,]+),(?P<end>[^,]+))?"
)
_DAY = re.compile(r"(?:M(\d+)\.(\d)\.(\d)|J(\d+)|(\d+))(?:/([+-]?[0-9:]+))?")


class Transitions(NamedTuple):
    """What `Zone` takes."""

    transitions_s: "array[int]"  # type code "q"
    offsets_s: "array[int]"  # type code "i"


def parse(data: bytes) -> Transitions:
    """The transitions of a TZif file, its footer rule written out."""
    counts, version = _header(data, 0)
    start, width = _HEADER.size, 4
    footer = ""
    if version >= 2:
        start += _size(counts, 4)
        counts, _ = _header(data, start)
        start, width = start + _HEADER.size, 8
    _utc, _standard, leaps, times, types, _names = counts
    end = start + _size(counts, width)
    if len(data) < end:
        raise ValueError("the TZif data ends early")
    if leaps:
        raise ValueError("TZif files with leap seconds are not supported")
    if types < 1:
        raise ValueError("the TZif data has no types of local time")
    instants = struct.unpack_from(f">{times}{'q' if width == 8 else 'l'}", data, start)
    start += times * width
    indexes = data[start : start + times]
    start += times
    offsets = [struct.unpack_from(">l", data, start + 6 * i)[0] for i in range(types)]
    if any(index >= types for index in indexes):
        raise ValueError("a transition names a type of local time that is not there")
    if version >= 2:
        last = data.find(b"\n", end + 1)
        if data[end : end + 1] != b"\n" or last < 0:
            raise ValueError("the TZif footer is missing")
        footer = data[end + 1 : last].decode("ascii", "replace")
    transitions = array("q", instants)
    if any(a >= b for a, b in itertools.pairwise(transitions)):
        raise ValueError("the TZif transitions are not in order")
    found = Transitions(transitions, array("i", [offsets[0], *(offsets[index] for index in indexes)]))
    if footer:
        _write_out(found, footer)
    return found


def _header(data: bytes, at: int) -> tuple[tuple[int, ...], int]:
    if len(data) < at + _HEADER.size:
        raise ValueError("the TZif data ends early")
    magic, version, *counts = _HEADER.unpack_from(data, at)
    if magic != b"TZif":
        raise ValueError("not TZif data: it does not begin with 'TZif'")
    if min(counts) < 0 or max(counts) > 1_000_000:
        raise ValueError("the TZif header counts are out of range")
    return tuple(counts), int(version) if version in b"1234" else 1


def _size(counts: tuple[int, ...], width: int) -> int:
    utc, standard, leaps, times, types, names = counts
    return times * (width + 1) + types * 6 + names + leaps * (width + 4) + standard + utc


def _write_out(found: Transitions, footer: str) -> None:
    """Appends what the footer rule says for the years after the last transition."""
    match = _FOOTER.fullmatch(footer)
    if not match:
        raise ValueError(f"the TZif footer {footer!r} is not a POSIX time zone rule")
    standard = -_seconds(match["std"])
    if not match["start"]:
        if not found.transitions_s:
            found.offsets_s[0] = standard
        return
    summer = -_seconds(match["dst"]) if match["dst"] else standard + 3600
    after = found.transitions_s[-1] if found.transitions_s else _day(1900, 1, 1) * 86400
    if not found.transitions_s:
        found.offsets_s[0] = standard
    first_year = 1970 + after // 31_556_952
    changes: dict[int, int] = {}
    for year in range(first_year - 1, first_year + 404):
        # At one instant the start of summer time wins: summer time all year is written so.
        changes.setdefault(_moment(match["end"], year) - summer, standard)
        changes[_moment(match["start"], year) - standard] = summer
    for instant in sorted(changes):
        if after < instant <= after + CYCLE_S + 2 * 31_556_952:
            found.transitions_s.append(instant)
            found.offsets_s.append(changes[instant])


def _moment(rule: str, year: int) -> int:
    """The wall-clock second at which a rule such as `M3.5.0/2` strikes in a year."""
    match = _DAY.fullmatch(rule)
    if not match:
        raise ValueError(f"{rule!r} in the TZif footer is not a day")
    month, week, weekday, julian, zero_based, time = match.groups()
    if month:
        if not (1 <= int(month) <= 12 and 1 <= int(week) <= 5 and int(weekday) <= 6):
            raise ValueError(f"{rule!r} in the TZif footer is not a day")
        first = _day(year, int(month), 1)
        day = first + (int(weekday) - (first + 4)) % 7 + 7 * (int(week) - 1)
        following = _day(year, int(month) + 1, 1) if int(month) < 12 else _day(year + 1, 1, 1)
        while day >= following:
            day -= 7
    elif julian:  # 1..365, 29 February is never counted
        day = _day(year, 1, 1) + int(julian) - 1
        if int(julian) >= 60 and _day(year, 3, 1) - _day(year, 2, 1) == 29:
            day += 1
    else:
        day = _day(year, 1, 1) + int(zero_based)
    return day * 86400 + (_seconds(time) if time else 7200)


def _day(year: int, month: int, day: int) -> int:
    return civil.to_days(year, month, day)


def _seconds(text: str) -> int:
    """`[+-]hh[:mm[:ss]]` as seconds."""
    match = re.fullmatch(r"([+-]?)(\d{1,3})(?::(\d{1,2}))?(?::(\d{1,2}))?", text)
    if not match:
        raise ValueError(f"{text!r} in the TZif footer is not a time")
    sign, hours, minutes, seconds = match.groups()
    total = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return -total if sign == "-" else total
