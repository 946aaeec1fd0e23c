"""Cron against cronsim and croniter. Each difference belongs to a named class, or it is a failure.

A class is a predicate of the question and the two answers, and as narrow as we can say it: where the other library
does something else, rather than something odd, the predicate computes what it does. `EXAMPLES` shows that each class
occurs. What is *right* is judged by the oracles; here we only know every reason why somebody may see another time.
"""

import datetime as dt

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from support import peers
from support.oracle import corpus
from support.peers import Question
from tocsin._core.timetable import NEVER
from tocsin.domain import errors
from tocsin.domain.schedule import Cron, DaylightPolicy
from tocsin.schedule import Compiler, Zones

VIXIE, BOTH, CRONITER = DaylightPolicy.VIXIE, DaylightPolicy.BOTH, DaylightPolicy.CRONITER
HOUR = 3600
FROM, UNTIL = 0, 2_145_000_000  # 1970 to 2037: the years that `Question.shifts` knows
COMPILER = Compiler(Zones(corpus.read, corpus.names))  # the zones of the tzdata package, as the others see them


def ours(text: str, zone: str, start: int, policy: DaylightPolicy) -> int | None:
    try:
        number = COMPILER.compile((Cron(text, zone, policy),))
    except errors.InvalidArgument as error:
        assert error.reason == "SCHEDULE_NEVER_FIRES"
        return None
    found = COMPILER.next_after(number, start * 1000)
    return None if found == NEVER else found // 1000


def late(start: int, *answers: int | None) -> int:
    return max([start, *(answer for answer in answers if answer is not None)])


# cronsim, beside the policy `vixie` ------------------------------------------------------------------------------


def second_pass_of_a_fold(question: Question, our: int | None, their: int | None) -> bool:
    """A fixed job asked inside the second pass: cronsim drops which pass it is and answers for the first."""
    if question.local.fold == 0 or question.expression.wildcard:
        return False
    first = question.start - max(shift.size for shift in question.shifts(question.start, 26 * HOUR) if not shift.gap)
    return their == ours(question.text, question.zone, first, VIXIE)


def six_fields(question: Question, our: int | None, their: int | None) -> bool:
    """With seconds, cronsim lets every job follow real time, as our policy `both` does."""
    return len(question.text.split()) == 6 and their == ours(question.text, question.zone, question.start, BOTH)


def not_on_the_hour(question: Question, our: int | None, their: int | None) -> bool:
    """Its hours are steps of 3600 s from a full one: a shift by half an hour, or at 00:01, throws them off. It may not end."""
    until = late(question.start, our, their)
    return any(wall % HOUR for shift in question.shifts(until, HOUR) for wall in shift.walls)


def midnight_gap(question: Question, our: int | None, their: int | None) -> bool:
    """It goes to a day by its midnight; where that does not exist, it is read as an hour later than it should be."""
    until = late(question.start, our, their)
    return any(
        shift.gap and -(-shift.walls[0] // 86400) * 86400 < shift.walls[1] for shift in question.shifts(until, HOUR)
    )


CRONSIM = (second_pass_of_a_fold, six_fields, not_on_the_hour, midnight_gap)


# croniter, beside the policy `croniter` ---------------------------------------------------------------------------


def or_and_rule(question: Question, our: int | None, their: int | None) -> bool:
    """Days: only a plain `*` makes croniter ask for both; `*/2` counts as a restriction, and all days as a star."""
    return their == ours(said_as_croniter(question.text), question.zone, question.start, CRONITER)


def said_as_croniter(text: str) -> str:
    """The expression whose days mean to us what they mean to croniter."""
    *time, dom, month, dow = text.split()
    if dom.startswith("*/"):
        dom = "1-31" + dom[1:]
    if dow.startswith("*/"):
        dow = "0-6" + dow[1:]
    elif "/" in dow and "-" not in dow:
        dow = f"{dow.partition('/')[0]}-6/{dow.partition('/')[2]}"  # its week ends on Saturday
    dom = "*" if dom in ("1-31", "1-31/1") else dom
    dow = "*" if dow in ("0-6", "0-6/1") else dow
    return " ".join([*time, dom, month, dow])


def nth_and_date(question: Question, our: int | None, their: int | None) -> bool:
    """A date and `MON#2`: croniter goes by the weekday, and asks for the date too or not; it may find nothing."""
    *time, dom, month, dow = question.text.split()
    if "#" not in dow or dom == "*":
        return False
    weekday = peers.Expression(" ".join([*time, "*", month, dow]))
    return their is None or weekday.dates(dt.datetime.fromtimestamp(their, corpus.load(question.zone)).date())


def unknown_word(question: Question, our: int | None, their: int | None) -> bool:
    """It does not know LW."""
    return "LW" in question.text.split()[-3].split(",") and their is None


def seconds_in_a_gap(question: Question, our: int | None, their: int | None) -> bool:
    """A job with seconds inside a gap fires that many seconds after its end; ours at its end."""
    return (
        len(question.text.split()) == 6
        and our is not None
        and their is not None
        and any(shift.gap and shift.second == our < their < our + 60 for shift in question.shifts(our))
    )


CRONITER_CLASSES = (or_and_rule, nth_and_date, unknown_word, seconds_in_a_gap)


def explained(classes, question: Question, our: int | None, their: int | None) -> list[str]:
    return [one.__name__ for one in classes if one(question, our, their)]


MINUTES = st.sampled_from(["0", "30", "*", "*/5", "*/7", "1-59/2", "0,15,45", "10/20", "59", "5-10"]) | st.integers(
    0, 59
).map(str)
HOURS = st.sampled_from(
    ["*", "*", "*/2", "*/3", "1-3", "0", "1", "2", "23", "2,5", "9-17", "0-23", "22/1", "1,2,3", "*/5,7"]
)
DAYS = st.sampled_from(["*", "*", "*", "*/2", "L", "1,15", "31", "5-9", "LW", "1-31", "29", "*/9,L", "13"])
MONTHS = st.sampled_from(["*", "*", "*", "*/2", "3", "10-11", "JAN,JUN", "feb", "2/5"])
WEEKDAYS = st.sampled_from(
    ["*", "*", "*", "MON-FRI", "0", "7", "5-7", "*/2", "MON#2", "1/2", "SUN", "0-6", "6,0", "fri#5", "SAT"]
)
SECONDS = st.sampled_from(["0", "30", "*/20", "*", "5,10", "59"])


@st.composite
def questions(draw, weekdays=WEEKDAYS):
    """Any zone; more often than not near a change of its offset, and on all days."""
    zone = draw(st.sampled_from(ODD if draw(st.integers(0, 15)) else corpus.distinct()))
    shifts = Question("* * * * *", zone, FROM).shifts(UNTIL)
    start = draw(st.integers(FROM, UNTIL))
    if shifts and draw(st.integers(0, 3)):
        shift = draw(st.sampled_from(shifts))
        start = shift.second + draw(
            st.integers(-90_000, 90_000) | st.sampled_from([-3600, -1800, -1, 0, 1, 1800, 3599, 3600, 7200])
        )
    days = "* * *"
    if draw(st.booleans()):
        days = f"{draw(DAYS)} {draw(MONTHS)} {draw(weekdays)}"
    text = f"{draw(MINUTES)} {draw(HOURS)} {days}"
    if draw(st.integers(0, 7)) == 0:
        text = f"{draw(SECONDS)} {text}"
    return Question(text, zone, max(FROM, min(UNTIL, start)))


ODD = [
    *("Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana", "America/St_Johns", "Pacific/Apia"),
    *("Europe/Dublin", "Africa/Casablanca", "Antarctica/Troll", "Africa/Cairo", "America/New_York", "Europe/Vienna"),
]


@settings(max_examples=400, deadline=None)
@given(question=questions(weekdays=WEEKDAYS | st.just("5L")))
def test_cronsim(question):
    our, their = ours(question.text, question.zone, question.start, VIXIE), peers.cronsim(question)
    note(f"ours {our}, cronsim {their}")
    assert our == their or explained(CRONSIM, question, our, their)


@settings(max_examples=300, deadline=None)
@given(
    question=questions().filter(lambda question: not question.text.startswith("* ") or question.zone != "Pacific/Apia")
)
def test_croniter(question):
    our, their = ours(question.text, question.zone, question.start, CRONITER), peers.croniter_next(question)
    note(f"ours {our}, croniter {their}")
    assert our == their or explained(CRONITER_CLASSES, question, our, their)


def instant(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp())


# class, expression, zone, start, our answer, theirs: one worked example of each, as in ext/README.md.
EXAMPLES = [
    (second_pass_of_a_fold, "59 1-3 * * *", "America/New_York", "2028-11-05T01:00-05:00", "2028-11-05T02:59-05:00", "2028-11-05T01:59-04:00"),
    (six_fields, "0 59 2,5 * * *", "Europe/Vienna", "2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00", "2026-03-29T05:59+02:00"),
    (not_on_the_hour, "5-10 */3 * * *", "Australia/Lord_Howe", "2021-04-04T01:30+11:00", "2021-04-04T03:05+10:30", "2021-04-04T06:05+10:30"),
    (not_on_the_hour, "5-10 */2 * * *", "America/St_Johns", "2006-10-28T23:01-02:30", "2006-10-29T00:05-03:30", None),
    (midnight_gap, "0,15,45 */2 * * 0", "America/Sao_Paulo", "2005-10-15T23:30-03:00", "2005-10-16T02:00-02:00", "2005-10-16T01:00-02:00"),
    (or_and_rule, "0 22 31 * */2", "Europe/Vienna", "1999-07-12T10:23+02:00", "1999-07-31T22:00+02:00", "1999-07-13T22:00+02:00"),
    (or_and_rule, "0 23 * * 1/2", "America/Havana", "2012-04-01T01:00-04:00", "2012-04-01T23:00-04:00", "2012-04-02T23:00-04:00"),
    (nth_and_date, "5 0 5-9 10-11 MON#2", "Europe/Vienna", "2006-06-13T23:11+02:00", "2006-10-05T00:05+02:00", "2006-10-09T00:05+02:00"),
    (nth_and_date, "30 2 1,15 * MON#2", "Australia/Lord_Howe", "1979-08-20T08:48+10:00", "1979-09-01T02:30+10:00", None),
    (unknown_word, "0 0 LW * *", "UTC", "2026-01-01T00:00+00:00", "2026-01-30T00:00+00:00", None),
    (seconds_in_a_gap, "30 59 */2 * * *", "Africa/Casablanca", "2013-08-10T01:59:59+00:00", "2013-08-10T03:00+01:00", "2013-08-10T03:00:30+01:00"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "zone", "start", "our", "their"), EXAMPLES)
def test_each_class_occurs(kind, text, zone, start, our, their):
    question = Question(text, zone, instant(start))
    policy, ask = (CRONITER, peers.croniter_next) if kind in CRONITER_CLASSES else (VIXIE, peers.cronsim)
    our, their = instant(our), their and instant(their)
    assert ours(text, zone, question.start, policy) == our
    assert ask(question) == their
    assert kind(question, our, their)
