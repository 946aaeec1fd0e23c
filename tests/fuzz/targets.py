"""Coverage-guided fuzzing of the parsers with atheris: only the promised errors, and answers that agree with themselves.

    python tests/fuzz/targets.py TARGET [libFuzzer options] [corpus folder]

TARGET is cron, tzif, rrule, on_calendar or envelope. `make fuzz` gives each a minute. A crash is written to a file
`crash-...`, and becomes a unit test.
"""

import sys

import atheris

with atheris.instrument_imports(include=["tocsin.schedule", "tocsin.dialects.sentry", "tocsin.domain"]):
    from tocsin._core.timetable import FIRST_MS, LAST_MS, NEVER
    from tocsin._core.zone import Zone
    from tocsin.app.tzdata import read_zone
    from tocsin.dialects.sentry.envelope import EnvelopeError, Parser
    from tocsin.dialects.sentry.limits import Limits
    from tocsin.domain import errors
    from tocsin.domain.schedule import Cron, DaylightPolicy, OnCalendar, RRule
    from tocsin.schedule import Compiler, Zones, tzif, words

ZONES = Zones(read_zone)
NAMES = ("UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
POLICIES = list(DaylightPolicy)
INSTANTS = (FIRST_MS, -1, 0, 1_774_749_600_000, LAST_MS - 1)


def schedule(make) -> None:
    """Compiles a schedule: either an error that names its field, or fire times that go forward and come back."""
    compiler = Compiler(ZONES)
    one = make()
    try:
        number = compiler.compile((one,))
    except errors.InvalidArgument as error:
        assert error.reason
        assert str(error).startswith("schedule.")
        return
    except errors.Unimplemented:
        return
    assert words.describe((one,))
    for instant in INSTANTS:
        after, before = compiler.next_after(number, instant), compiler.prev_before(number, instant)
        assert after > instant
        assert before < instant or before == NEVER
        if after != NEVER:
            back = compiler.prev_before(number, after)
            assert back <= instant or back == NEVER, (one, instant, after, back)


def cron(data: bytes) -> None:
    source = atheris.FuzzedDataProvider(data)
    zone, policy = source.PickValueInList(list(NAMES)), source.PickValueInList(POLICIES)
    schedule(lambda: Cron(source.ConsumeUnicodeNoSurrogates(120), zone, policy))


def rrule(data: bytes) -> None:
    source = atheris.FuzzedDataProvider(data)
    zone = source.PickValueInList(list(NAMES))
    schedule(lambda: RRule(source.ConsumeUnicodeNoSurrogates(200), time_zone=zone))


def on_calendar(data: bytes) -> None:
    source = atheris.FuzzedDataProvider(data)
    zone = source.PickValueInList(list(NAMES))
    schedule(lambda: OnCalendar(source.ConsumeUnicodeNoSurrogates(120), time_zone=zone))


def a_tzif(data: bytes) -> None:
    try:
        transitions, offsets = tzif.parse(data)
        zone = Zone(transitions, offsets)
    except ValueError:
        return
    for second in (*transitions[:3], *transitions[-3:], 0, 4_102_444_800, 253_402_300_799):
        begin, end, offset = zone.segment(second)
        assert zone.offset_at(second) == offset
        assert begin is None or begin <= second
        assert end is None or end > second


def envelope(data: bytes) -> None:
    source = atheris.FuzzedDataProvider(data)
    cut = source.ConsumeIntInRange(0, 50)
    body = source.ConsumeBytes(10_000)
    results = []
    for pieces in ((body,), (body[:cut], body[cut:])):
        parser = Parser(Limits(held=5_000, check_in=500, check_ins=5, header=300))
        try:
            for piece in pieces:
                parser.feed(piece)
            parser.close()
        except EnvelopeError as problem:
            results.append(str(problem))
        else:
            results.append((parser.items, parser.counts))
    assert results[0] == results[1]


TARGETS = {"cron": cron, "tzif": a_tzif, "rrule": rrule, "on_calendar": on_calendar, "envelope": envelope}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(__doc__)
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
