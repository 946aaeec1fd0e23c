"""TZif files against zoneinfo, and files that are broken."""

import contextlib
import datetime as dt
import struct
import zoneinfo
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin._core.zone import Zone
from tocsin.app.tzdata import read_zone, tzdata_version, zone_names
from tocsin.schedule import tzif

FAR_FUTURE = 253_000_000_000  # near the end of 9987


def test_every_zone_around_its_transitions():
    names = sorted(zone_names())
    assert len(names) > 400
    for name in names:
        found = tzif.parse(read_zone(name))
        zone, expected = Zone(*found), zoneinfo.ZoneInfo(name)
        instants = list(found.transitions_s)
        sample = instants[-20:] + [t for t in instants if t > -1_500_000_000][::23]
        sample += [0, 4_102_444_800, FAR_FUTURE, FAR_FUTURE + 15_000_000]
        for instant in sample:
            for second in (instant - 1, instant):
                moment = dt.datetime.fromtimestamp(second, dt.UTC).astimezone(expected)
                assert zone.offset_at(second) == moment.utcoffset().total_seconds(), (name, second)


def tzif_bytes(transitions=(), indexes=b"", offsets=(0,), *, footer=b"", leaps=0, version=b"2"):
    def block(width):
        head = struct.pack(">4sc15x6l", b"TZif", version, 0, 0, leaps, len(transitions), len(offsets), 4)
        body = struct.pack(f">{len(transitions)}{'q' if width == 8 else 'l'}", *transitions) + bytes(indexes)
        body += (
            b"".join(struct.pack(">lBB", offset, 0, 0) for offset in offsets) + b"ABC\0" + bytes(leaps * (width + 4))
        )
        return head + body

    if version == b"\0":
        return block(4)
    return block(4) + block(8) + b"\n" + footer + b"\n"


def test_version_one():
    found = tzif.parse(tzif_bytes([0, 100], [1, 0], [0, 3600], version=b"\0"))
    assert found == (array("q", [0, 100]), array("i", [0, 3600, 0]))


def offsets_of_2030(footer):
    """The transitions of 2030 as day and second, with the offset after each."""
    found = tzif.parse(tzif_bytes(footer=footer))
    begin, end = 1_893_456_000, 1_924_992_000
    return [
        (dt.datetime.fromtimestamp(instant, dt.UTC).strftime("%m-%d %H:%M"), offset)
        for instant, before, offset in zip(found.transitions_s, found.offsets_s, found.offsets_s[1:], strict=False)
        if begin <= instant < end and before != offset
    ]


@pytest.mark.parametrize(
    ("footer", "expected"),
    [
        (b"CET-1CEST,M3.5.0,M10.5.0/3", [("03-31 01:00", 7200), ("10-27 01:00", 3600)]),
        (b"EST5EDT,M3.2.0,M11.1.0", [("03-10 07:00", -14400), ("11-03 06:00", -18000)]),
        (b"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", [("04-06 15:00", 37800), ("10-05 15:30", 39600)]),
        (b"IST-1GMT0,M10.5.0,M3.5.0/1", [("03-31 01:00", 3600), ("10-27 01:00", 0)]),
        (b"AAA3BBB,J60/0,J300/0", [("03-01 03:00", -7200), ("10-27 02:00", -10800)]),
        (b"AAA3BBB,59/0,299/0", [("03-01 03:00", -7200), ("10-27 02:00", -10800)]),
        (b"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", [("03-31 01:00", -3600), ("10-27 01:00", -7200)]),
        (b"XXX3EDT4,0/0,J365/23", []),  # summer time all year, as RFC 9636 writes it
        (b"UTC0", []),
    ],
)
def test_footer_rules(footer, expected):
    assert offsets_of_2030(footer) == expected


def test_a_footer_alone_repeats_for_ever():
    zone = Zone(*tzif.parse(tzif_bytes(footer=b"CET-1CEST,M3.5.0,M10.5.0/3")))
    assert zone.repeats
    assert {zone.offset_at(FAR_FUTURE + quarter * 7_889_238) for quarter in range(4)} == {3600, 7200}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "ends early"),
        (b"TZif", "ends early"),
        (b"x" * 60, "does not begin with"),
        (tzif_bytes()[:-30], "ends early"),
        (tzif_bytes()[:-1], "footer is missing"),
        (tzif_bytes([5, 5], [0, 0]), "not in order"),
        (tzif_bytes([5], [1]), "not there"),
        (tzif_bytes(offsets=()), "no types"),
        (tzif_bytes(leaps=1), "leap seconds"),
        (tzif_bytes(footer=b"nonsense!"), "not a POSIX"),
        (tzif_bytes(footer=b"CET-1CEST,M13.1.0,M10.5.0"), "not a day"),
        (tzif_bytes(footer=b"CET-1CEST,tomorrow,M10.5.0"), "not a day"),
        (tzif_bytes(footer=b"CET-1:2:3:4"), "not a time"),
        (b"TZif2" + bytes(15) + b"\x7f" * 24, "out of range"),
    ],
)
def test_broken_files(data, says):
    with pytest.raises(ValueError, match=says):
        tzif.parse(data)


@given(data=st.data())
def test_damage_is_a_value_error_or_a_zone(data):
    good = bytearray(read_zone("Europe/Vienna"))
    for _ in range(data.draw(st.integers(1, 5))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        Zone(*tzif.parse(bytes(good[: data.draw(st.integers(0, len(good)))])))


def test_the_release_is_known():
    assert tzdata_version()[:2] == "20"
