"""Hypothesis strategies for expressions that a scheduler accepts."""

from hypothesis import strategies as st

from support.oracle import cron_text as oracle


def cases(text):
    return st.sampled_from([text, text.lower(), text.capitalize()])


def plain(low, high, names=()):
    number = st.integers(low, high)
    value = number.map(str) | number.map("{:02}".format)
    if names:
        value |= st.sampled_from(names).flatmap(cases)
    pair = st.tuples(number, number).map(sorted).map("{0[0]}-{0[1]}".format)
    step = st.integers(1, 70)
    body = st.just("*") | value | pair
    return body | st.tuples(body, step).map("{0[0]}/{0[1]}".format)


def words(item):
    return st.lists(item, min_size=1, max_size=4).map(",".join)


DAYS_OF_MONTH = plain(1, 31) | st.sampled_from(["L", "l", "LW", "lw", "L-1", "L-30", "l-07"])
DAYS_OF_MONTH |= st.integers(1, 31).map("{}W".format)
DAYS = st.integers(0, 7).map(str) | st.sampled_from(oracle.WEEKDAYS).flatmap(cases)
DAYS_OF_WEEK = plain(0, 7, oracle.WEEKDAYS) | DAYS.map("{}L".format) | DAYS.map("{}#L".format)
DAYS_OF_WEEK |= st.tuples(DAYS, st.integers(1, 5)).map("{0[0]}#{0[1]}".format)
MINUTES, HOURS, MONTHS = words(plain(0, 59)), words(plain(0, 23)), words(plain(1, 12, oracle.MONTHS))
FIVE = (MINUTES, HOURS, words(DAYS_OF_MONTH) | st.just("?"), MONTHS, words(DAYS_OF_WEEK) | st.just("?"))
BLANK = st.sampled_from([" ", "  ", "\t", " \n", "\r\x0b\x0c"])


@st.composite
def crons(draw):
    """Valid cron expressions of every shape."""
    fields = [draw(one) for one in FIVE]
    if draw(st.booleans()):
        fields.insert(0, draw(MINUTES))
    if draw(st.integers(0, 9)) == 0:
        fields = [draw(cases(draw(st.sampled_from(sorted(oracle.NICKNAMES)))))]
    return draw(BLANK | st.just("")) + draw(BLANK).join(fields) + draw(BLANK | st.just(""))


@st.composite
def part(draw, low, high, *, ends=(), backwards=False):
    """One part of a calendar expression: `*`, or a list of values, ranges and repetitions that systemd accepts."""
    if draw(st.integers(0, 3)) == 0:
        return "*"
    items = []
    for _ in range(draw(st.integers(1, 3))):
        first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
        room = first - low if backwards else high - first
        kind = draw(st.integers(0, 3))
        if kind == 0 and room:
            items.append(f"{first}/{draw(st.integers(1, room))}")
        elif kind == 1:
            items.append(f"{first}..{last}")
        elif kind == 2:
            items.append(f"{first}..{last}/{draw(st.integers(1, max(1, (last - first) // 2)))}")
        else:
            items.append(draw(st.sampled_from([f"{first}", f"{first:02}", *ends])))
    return ",".join(items)


WEEKDAYS = ("Mon", "tuesday", "Wed", "THU", "Friday", "sat", "Sun")


@st.composite
def weekdays(draw):
    items = []
    for _ in range(draw(st.integers(1, 3))):
        first, last = sorted((draw(st.integers(0, 6)), draw(st.integers(0, 6))))
        items.append(WEEKDAYS[first] + draw(st.sampled_from(["", f"..{WEEKDAYS[last]}", f"-{WEEKDAYS[last]}"])))
    return ",".join(items) + draw(st.sampled_from(["", ","]))


@st.composite
def calendars(draw):
    """Calendar expressions without a time zone, as systemd accepts them: of three days from the end, up to the 22nd."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(["minutely", "hourly", "daily", "Weekly", "monthly", "quarterly", "SEMIANNUALLY"]))
    words = [draw(weekdays())] if draw(st.booleans()) else []
    shown = draw(st.integers(1, 3)) if not words else draw(st.integers(0, 3))
    if shown & 1:
        year = draw(st.sampled_from(["", "", "*-", "*-", "2026..2040-", "2026/3-", "26,28,2031-", "2027..2090/7-"]))
        month = draw(part(1, 12))
        day = draw(st.sampled_from(["-", "~"]))
        words.append(f"{year}{month}{day}" + draw(part(1, 22, backwards=True) if day == "~" else part(1, 31)))
    if shown & 2:
        second = draw(st.sampled_from(["", "", ":0", ":30", ":*", ":0/20", ":1..3", ":7,59"]))
        words.append(f"{draw(part(0, 23))}:{draw(part(0, 59))}{second}")
    return " ".join(words)
