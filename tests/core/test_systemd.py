"""Calendar expressions beside `systemd-analyze calendar`: what it accepts, what it refuses, and when it elapses.

One process answers many expressions. They are the same each time, because a peer with rare faults of its own must not
make a test that fails now and then; `derandomize=False` looks for more. What is known to differ, and left out here:
(a) a start inside the second pass of a fold: systemd goes on in that pass, we wait for the time after it
(b) weekday ranges that wrap (Sat..Mon), and blanks at the ends or before the zone: accepted here
(c) fractions of a second, and @epoch: refused here
(d) years after 2199, where systemd ends
(e) lists of days from the end of the month: systemd lowers its limit of 28 days by 3 with each of them, we do not
(f) Dublin, whose winter time counts as daylight saving: beside a gap systemd may leave out times that exist
(g) a repetition within the day whose next step lies past midnight: systemd goes on from that step, so that of `*:4/25`
    it leaves out 00:04, because 23:54 and 25 minutes are 00:19
"""

import datetime as dt
import os
import re
import subprocess

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from support.expressions import calendars
from support.oracle import zone as zones
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.schedule import OnCalendar
from tocsin.schedule import on_calendar

pytestmark = pytest.mark.system
FIRES = re.compile(r"(?:Next elapse|Iter\. #\d+): (?:never|\w+ (\d+-\d\d-\d\d \d\d:\d\d:\d\d) UTC)")
COUNT = 4
LIMIT = dt.datetime(2200, 1, 1, tzinfo=zones.UTC)


@pytest.fixture(scope="session")
def analyze(debian_program):
    """What systemd makes of each expression after a second: its next elapses as seconds, None where it refuses."""
    program = debian_program("systemd-analyze")

    def ask(expressions, start):
        base = dt.datetime.fromtimestamp(start, zones.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        command = [program, "calendar", f"--iterations={COUNT}", f"--base-time={base}", "--", *expressions]
        environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
        # Refused ones are named on the other stream, and leave nothing in this one.
        refused = set(re.findall(r"^Failed to parse calendar specification '(.*)': ", done.stderr, re.MULTILINE))
        blocks = iter([block for block in done.stdout.split("\n\n") if block.strip()])
        found = {text: None if text in refused else elapses(next(blocks)) for text in expressions}
        assert next(blocks, None) is None
        return found

    return ask


def elapses(block):
    assert "Normalized form" in block
    times = [dt.datetime.fromisoformat(time).replace(tzinfo=zones.UTC) for time in FIRES.findall(block) if time]
    return [int(time.timestamp()) for time in times]


def ours(compiler, text, start, count=COUNT):
    try:
        number = compiler.compile((OnCalendar(text, ""),))
    except InvalidArgument as error:
        assert error.reason == "SCHEDULE_NEVER_FIRES", (text, error.message)
        return []
    times = [ms // 1000 for ms in compiler.timetables.upcoming(number, start * 1000, count)]
    return [time for time in times if time < LIMIT.timestamp()]  # (d)


def carried(compiler, text, start, expected):
    """Whether (g) is all that differs: what is left out comes first on its day."""
    times = [time for time in ours(compiler, text, start, 500) if expected and time <= expected[-1]]
    day = None
    for time in times:
        if time in expected:
            day = time // 86400
        elif time // 86400 == day:
            return False
    return "/" in text and set(expected) <= set(times)


@settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(
    expressions=st.lists(calendars(), min_size=30, max_size=60, unique=True),
    start=st.integers(1_767_225_600, 1_900_000_000),
)
def test_expressions_in_utc(compiler, analyze, expressions, start):
    for text, expected in analyze(expressions, start).items():
        assert expected is not None, text
        assert ours(compiler, text, start) == expected or carried(compiler, text, start, expected), text


@settings(max_examples=8, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(
    expressions=st.lists(
        st.tuples(
            st.sampled_from(["", "*-*-* ", "Sat..Sun ", "*-*-1..8 "]),
            st.sampled_from(
                ["0..3:0/30", "1..2:30", "*:0/15", "*:30", "2:30", "1:30", "0:0", "2:0", "3:0", "23..23:59:59"]
            ),
        ).map("".join),
        min_size=5,
        max_size=10,
        unique=True,
    ),
    name=st.sampled_from(
        ["America/New_York", "Europe/Vienna", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]
    ),
    index=st.integers(0, 5),
    shift=st.integers(-30 * 3600, 4 * 3600),
)
def test_around_transitions(*, compiler, analyze, expressions, name, index, shift):
    found = zones.transitions(name, 2026, 2029)
    start = (found[index % len(found)] if found else 1_790_000_000) + shift
    if dt.datetime.fromtimestamp(start, zones.UTC).astimezone(zones.load(name)).fold:
        start -= 3 * 3600  # (a)
    for text, expected in analyze([f"{one} {name}" for one in expressions], start).items():
        assert ours(compiler, text, start) == expected, (text, start)


@st.composite
def mutated(draw):
    text = draw(calendars())
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(text)))
        put = draw(st.sampled_from([*"*-~:/,019", "..", "60", "31", "2200", "0", "Mon", "Sun,", "", ""]))
        text = text[:at] + put + text[at + draw(st.integers(0, 2)) :]
    return text


@settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(expressions=st.lists(mutated(), min_size=30, max_size=60, unique=True))
def test_what_systemd_refuses_is_refused(analyze, expressions):
    alike = [
        text for text in expressions if text == text.strip() and not re.search(r"[0-9]\.[0-9]|'", text)
    ]  # (b), (c)
    for text, expected in analyze(alike, 1_790_000_000).items():
        try:
            named = on_calendar.parse(text).time_zone
        except InvalidArgument:
            assert expected is None or "/0" in text, text
        else:
            assert expected is not None or named or wraps(text) or ("~" in text and "," in text), text  # (b), (e)


def wraps(text):
    """Whether a weekday range of the text ends before it begins."""
    names = [name[:3].lower() for name in on_calendar.WEEKDAYS]
    ranges = re.findall(r"(?i)([a-z]{3})[a-z]*(?:\.\.|-)([a-z]{3})", text)
    return any(names.index(first.lower()) > names.index(last.lower()) for first, last in ranges)


def test_the_examples_of_the_manual(compiler, analyze):
    examples = [
        *("Sat,Thu,Mon..Wed,Sat..Sun", "Mon,Sun 2032-*-* 2,1:23", "Wed *-1", "Wed..Wed,Wed *-1", "Wed, 17:48"),
        *("Wed..Sat,Tue 32-10-15 1:2:3", "*-*-7 0:0:0", "10-15", "monday *-12-* 17:00", "Mon,Fri *-*-3,1,2 *:30:45"),
        *(
            "12,14,13,12:20,10,30",
            "12..14:10,20,30",
            "mon,fri *-1/2-1,3 *:30:45",
            "03-05 08:05:40",
            "08:05:40",
            "05:40",
        ),
        *("Sat,Sun 12-05 08:05:40", "Sat,Sun 08:05:40", "2033-03-05 05:40", "2033-02..04-05", "2033-03-05 05:40 UTC"),
        *("2033-03-05", "hourly", "daily UTC", "weekly Pacific/Auckland", "*:2/3", "*-02~03", "Mon *-05~07/1"),
        *on_calendar.WORDS,
    ]
    for text, expected in analyze(examples, 1_790_000_000).items():
        assert expected, text
        assert ours(compiler, text, 1_790_000_000) == expected, text
