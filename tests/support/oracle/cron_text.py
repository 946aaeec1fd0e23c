"""Cron expressions read with regular expressions and sets; `Wrong` names the first field that cannot be read."""

import re

from support.oracle.cron import MONTHS, WEEKDAYS

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = {
    "second": (0, 59, []),
    "minute": (0, 59, []),
    "hour": (0, 23, []),
    "day of month": (1, 31, []),
    "month": (1, 12, MONTHS),
    "day of week": (0, 7, WEEKDAYS),
}
BLANKS = " \t\n\r\x0b\x0c"


class Wrong(Exception):
    """The argument is the name of the field, or "" for the expression as a whole."""


def masks(text: str, day_rule: str = "star") -> dict[str, object]:
    """As `Cron.masks`."""
    if len(text) > 1000:
        raise Wrong("")
    words = [word.upper() for word in re.split(f"[{BLANKS}]+", text.strip(BLANKS)) if word]
    if words and words[0].startswith("@"):
        lowered = " ".join(words).lower()
        if lowered not in NICKNAMES or not text.isascii():
            raise Wrong("")
        return masks(NICKNAMES[lowered])
    if len(words) == 5:
        words = ["0", *words]
    if len(words) != 6:
        raise Wrong("")
    found = {"last": set(), "nearest": set(), "nth": set(), "last_weekday": False}
    values = {name: field(name, word, found) for name, word in zip(FIELDS, words, strict=True)}
    _, minute, hour, dom, _, dow = words
    weekdays = {value % 7 for value in values["day of week"]}
    if day_rule == "star":
        either = dom[0] not in "*?" and dow[0] not in "*?"
    else:
        either = day_rule == "or" and len(values["day of month"]) < 31 and len(weekdays) < 7
    return {
        "second": bits(values["second"]),
        "minute": bits(values["minute"]),
        "hour": bits(values["hour"]),
        "dom": bits(values["day of month"]),
        "month": bits(values["month"]),
        "dow": bits(weekdays),
        "last": bits(found["last"]),
        "nearest": bits(found["nearest"]),
        "nth": bits(found["nth"]),
        "last_weekday": found["last_weekday"],
        "either_day": either,
        "wildcard": minute[0] == "*" or hour[0] == "*",
        "years": None,
    }


def bits(values: set[int]) -> int:
    return sum(1 << value for value in values)


def field(name: str, word: str, found: dict) -> set[int]:
    low, high, names = FIELDS[name]

    def value(text: str) -> int:
        if text in names:
            return names.index(text) + low
        if not re.fullmatch("[0-9]{1,4}", text) or not low <= int(text) <= high:
            raise Wrong(name)
        return int(text)

    if word == "?" and name in ("day of month", "day of week"):
        return set(range(low, high + 1))
    values = set()
    for item in word.split(","):
        if name == "day of month" and item == "LW":
            found["last_weekday"] = True
        elif name == "day of month" and (match := re.fullmatch("L(-0*([1-9]|[12][0-9]|30))?", item)):
            if len(item) > 6:  # at most four digits
                raise Wrong(name)
            found["last"].add(int(match[2] or 0))
        elif name == "day of month" and item.endswith("W"):
            found["nearest"].add(value(item[:-1]))
        elif name == "day of week" and "#" in item:
            day, count = item.split("#", 1)
            if count not in ("1", "2", "3", "4", "5", "L"):
                raise Wrong(name)
            found["nth"].add((35 if count == "L" else 7 * (int(count) - 1)) + value(day) % 7)
        elif name == "day of week" and item.endswith("L"):
            found["nth"].add(35 + value(item[:-1]) % 7)
        else:
            body, slash, step = item.partition("/")
            if slash and (not re.fullmatch("[0-9]{1,4}", step) or int(step) == 0):
                raise Wrong(name)
            first, dash, last = body.partition("-")
            begin = low if body == "*" else value(first)
            end = high if body == "*" or (slash and not dash) else value(last) if dash else begin
            if end < begin:
                raise Wrong(name)
            values |= set(range(begin, end + 1, int(step or 1)))
    return values
