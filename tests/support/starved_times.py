"""A program for a fresh interpreter: every path of zones and timetables that takes memory, the n-th request refused.

Prints "name count" for each path: how many requests were refused before it went through. For each n, the path must
either work or raise MemoryError; then the registry must answer as before, and the path work with memory.
"""

from array import array

from support.fresh import starve
from tocsin._core.cron import Cron
from tocsin._core.cron_text import parse
from tocsin._core.timetable import Timetables
from tocsin._core.zone import Zone

CRON = parse("0 2 * * *")
CRON_OF_YEARS = Cron.of(minute=1, hour=1, dom=2, month=2, dow=1, years=range(1970, 2226))
TRANSITIONS, OFFSETS = array("q", range(0, 4_000_000, 1000)), array("i", [i % 2 * 3600 for i in range(4001)])
WHICH, INSTANTS = array("I", [1, 2, 3]), array("q", [0, 1, 2])
OUT = array("q", [0, 0, 0])
DUE = 7_200_000  # 02:00 on 1 January 1970


def utc():
    return Zone(array("q"), array("i", [0]))


def registry(rows=3):
    made = Timetables()
    zone = made.add_zone(utc())
    while len(made) <= rows:
        made.add_cron(zone, CRON)
    return made


def full(rows):
    return lambda: registry(rows)


def tabled():
    made = registry()
    made.add_table(lambda at: (at - at % 100, at - at % 100 + 100, array("q", [at - at % 100 + 50])))
    return made


def table_answers(made):
    return answers(made) and made.next_after(4, 0) == 50_000


def answers(made):
    return made.next_after(1, 0) == made.next_after(3, 0) == DUE and made.upcoming(1, 0, 1) == [DUE]


def anything(_):
    return True


PATHS = {
    "zone, made": (lambda: None, lambda _: Zone(TRANSITIONS, OFFSETS), anything),
    "zone, segment": (utc, lambda zone: zone.segment(2**40), lambda zone: zone.offset_at(0) == 0),
    "registry, made": (lambda: None, lambda _: Timetables(), anything),
    "registry, zone": (registry, lambda made: made.add_zone(utc()), answers),
    **{
        f"registry, cron after {rows} rows": (full(rows), lambda made: made.add_cron(0, CRON), anything)
        for rows in (15, 16, 63, 64, 127, 255, 256, 1023)
    },
    "registry, daily": (registry, lambda made: made.add_daily(0, range(0, 86400, 3600)), answers),
    "registry, daily after many rows": (full(400), lambda made: made.add_daily(0, range(0, 86400, 1440)), anything),
    "table, made": (registry, lambda made: made.add_table(answers), answers),
    "table, next": (tabled, lambda made: made.next_after(4, 10_000_000), table_answers),
    "table, upcoming": (tabled, lambda made: made.upcoming(4, 0, 20), table_answers),
    "masks": (lambda: CRON_OF_YEARS, lambda cron: cron.masks(), anything),
    "parse": (lambda: None, lambda _: parse("0 0 * * *"), anything),
    "registry, union": (registry, lambda made: made.add_union([1, 2, 3] * 300), answers),
    "registry, upcoming": (registry, lambda made: made.upcoming(1, 0, 100), answers),
    "registry, batch": (registry, lambda made: made.next_many(WHICH, INSTANTS, OUT), answers),
}


if __name__ == "__main__":
    starve(PATHS, lasting=True)
