"""Assertions: "metric.duration < 5 min", "response.json user.count > 10". Text is kept as written; this reads it.

    family           name                             operator                  value
    metric           duration                         < <= = != >= >            length; a bare number is seconds
    metric           count, error_count               < <= = != >= >            whole number
    metric           error_rate                       < <= = != >= >            decimal, or a percentage
    metric           any other name                   < <= = != >= >            decimal
    response         time                             < <= = != >= >            length
    response         code                             < <= = != >= >            whole number
    response         body                             contains !contains = !=   text
    response         json, then a path                all of these              JSON scalar, or text
    response         header, then its name            all of these              text
    resource         last_modified                    < <= = != >= >            length
    resource         item_count                       < <= = != >= >            whole number
    resource         public                           =                         true, false
    ssl_certificate  expires_in                       < <= = != >= >            length

Metrics are for jobs and heartbeats, the rest for checks. Text may stand in double quotes. Case matters in values, JSON
paths and nowhere else. What of a metric becomes true or false is decided here too, in `Assertion.holds`.
"""

import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NoReturn

import msgspec

from tocsin.domain import errors
from tocsin.domain.instant import Millis
from tocsin.domain.lengths import parse_length

ASSERTIONS_MAX: Final = 100  # of a monitor
TEXT_MAX: Final = 1_000  # characters
METRIC_NAME_MAX: Final = 63

Value = int | float | bool | str | None

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}
_ORDER: Final = tuple(_COMPARE)
_TEXTS: Final = ("contains", "!contains", "=", "!=")
_ANY: Final = (*_ORDER, "contains", "!contains")
_KINDS: Final = {
    "metric": ("job", "heartbeat"),
    "response": ("check",),
    "resource": ("check",),
    "ssl_certificate": ("check",),
}

_NAME: Final = re.compile(r"([A-Za-z_]+)\.([A-Za-z0-9_-]+)")
_OPERATOR: Final = re.compile(r"<=|>=|!=|<|>|=|!?contains(?=\s|$)", re.IGNORECASE)
_PATH: Final = re.compile(r'[^\s.\[\]<>=!"]+(?:\.[^\s.\[\]<>=!"]+|\[[0-9]+\])*')
_HEADER: Final = re.compile(r"[A-Za-z0-9#$%&'*+.^_`|~-]+")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
_SCALAR: Final = re.compile(r'true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|"(?:[^"\\]|\\.)*"')


class Assertion(msgspec.Struct, frozen=True):
    """One assertion, read."""

    text: str  # as written
    family: str
    name: str
    operator: str
    value: Value  # lengths in milliseconds, rates as fractions of 1
    key: str = ""  # a JSON path, or the name of a header

    @property
    def longest(self) -> Millis | None:
        """How long a run may go on before this cannot hold any more; None when it sets no such bound."""
        if self.name != "duration" or self.family != "metric" or self.operator not in ("<", "<="):
            return None
        assert isinstance(self.value, int)
        return self.value

    def holds(self, metrics: Mapping[str, float], duration_ms: Millis | None) -> bool | None:
        """Whether it holds for what was measured; None: what it is about was not. Of the family "metric" only."""
        measured = self._measured(metrics, duration_ms)
        if measured is None or self.family != "metric":
            return None
        assert isinstance(self.value, int | float)
        return _COMPARE[self.operator](measured, self.value)

    def _measured(self, metrics: Mapping[str, float], duration_ms: Millis | None) -> float | None:
        if self.name == "duration":
            return duration_ms
        if self.name != "error_rate":
            return metrics.get(self.name)
        failed, count = metrics.get("error_count"), metrics.get("count")
        if failed is None:
            return None
        if count:
            return failed / count
        return 1.0 if failed > 0 else None


def parse(text: str, field: str = "assertion") -> Assertion:
    """Reads one assertion. InvalidArgument names `field`, the text and the position of what is wrong, from 1.

    >>> parse("metric.duration <15min").value
    900000
    """
    return _Reader(text, field).read()


def check(text: str, kind: str, field: str = "assertion") -> Assertion:
    """As `parse`; and it must be one for monitors of this kind: "job", "heartbeat" or "check"."""
    found = parse(text, field)
    kinds = _KINDS[found.family]
    if kind not in kinds:
        raise errors.invalid(
            field,
            f"{text!r}: {found.family}.* is for {' and '.join(kinds)} monitors, and this is a {kind}",
            assertion=text,
            position=str(len(text) - len(text.lstrip()) + 1),
        )
    return found


def check_all(texts: Iterable[str], kind: str, field: str = "assertions") -> tuple[Assertion, ...]:
    """As `check` for each; an error names `field[index]`."""
    found = tuple(check(text, kind, f"{field}[{index}]") for index, text in enumerate(texts))
    if len(found) > ASSERTIONS_MAX:
        raise errors.invalid(field, f"at most {ASSERTIONS_MAX} assertions, not {len(found)}")
    return found


class _Reader:
    """From left to right; `_at` is where the next part begins."""

    def __init__(self, text: str, field: str) -> None:
        self._text, self._field = text, field
        self._end = len(text.rstrip())
        self._at = 0

    def read(self) -> Assertion:
        text = self._text
        if len(text) > TEXT_MAX:
            self._refuse(TEXT_MAX, f"at most {TEXT_MAX} characters")
        broken = next((i for i, character in enumerate(text[: self._end]) if character in "\r\n\0"), None)
        if broken is not None and text[:broken].strip():
            self._refuse(broken, "must be one line")
        family, name, start = self._name()
        operators, value_of = self._rule(family, name, start)
        key = self._key(name) if family == "response" and name in ("json", "header") else ""
        sign = self._operator(operators)
        self._skip_blanks()
        if self._at >= self._end:
            self._refuse(self._at, "a value is missing")
        return Assertion(text, family, name, sign, value_of(self), key)

    # -- parts

    def _name(self) -> tuple[str, str, int]:
        self._skip_blanks()
        found = _NAME.match(self._text, self._at)
        if found is None:
            self._refuse(self._at, "expected a name such as metric.duration or response.code")
        self._at = found.end()
        return found[1].lower(), found[2].lower(), found.start()

    def _rule(self, family: str, name: str, start: int) -> "_Rule":
        rule = _RULES.get((family, name))
        if rule is None and family == "metric":
            if len(name) > METRIC_NAME_MAX:
                self._refuse(start, f"a metric's name has at most {METRIC_NAME_MAX} characters")
            rule = _ORDER, _Reader.decimal
        if rule is None:
            known = ", ".join(f"{one}.{other}" for one, other in _RULES)
            self._refuse(start, f"no such assertion; known are {known} and metric.<name>")
        return rule

    def _key(self, name: str) -> str:
        if not self._text[self._at : self._at + 1].isspace():
            self._refuse(
                self._at, f"expected a blank and then {'a path' if name == 'json' else 'the name of a header'}"
            )
        self._skip_blanks()
        found = (_PATH if name == "json" else _HEADER).match(self._text, self._at)
        if found is None:
            what = "a path such as user.names[0]" if name == "json" else "the name of a header"
            self._refuse(self._at, f"expected {what}")
        self._at = found.end()
        return found[0]

    def _operator(self, accepted: tuple[str, ...]) -> str:
        blank = self._skip_blanks()
        found = _OPERATOR.match(self._text, self._at)
        sign = found[0].lower() if found else ""
        if found is None or sign not in accepted or (sign.endswith("contains") and not blank):
            self._refuse(self._at, f"expected one of {' '.join(accepted)}")
        self._at = found.end()
        return sign

    # -- values: the rest of the line

    def _rest(self) -> str:
        return self._text[self._at : self._end]

    def length(self) -> Millis:
        try:
            return parse_length(self._rest(), self._field, milliseconds=True, bare_seconds=True, before=self._at)
        except errors.InvalidArgument as error:
            self._refuse(int(error.metadata["position"]) - 1, "expected a length of time such as 5 min, 1.2s or 300 ms")

    def integer(self) -> int:
        if not _INTEGER.fullmatch(self._rest()):
            self._refuse(self._at, "expected a whole number")
        return int(self._rest())

    def decimal(self) -> float:
        return self._finite(self._rest())

    def rate(self) -> float:
        rest = self._rest()
        return self._finite(rest[:-1].rstrip(), " or a percentage") / 100 if rest.endswith("%") else self.decimal()

    def _finite(self, text: str, more: str = "") -> float:
        if not _DECIMAL.fullmatch(text) or not math.isfinite(value := float(text)):
            self._refuse(self._at, f"expected a number{more}")
        return value

    def truth(self) -> bool:
        if self._rest().lower() not in ("true", "false"):
            self._refuse(self._at, "expected true or false")
        return self._rest().lower() == "true"

    def words(self) -> str:
        rest = self._rest()
        if not rest.startswith('"'):
            return rest
        if len(rest) < 2 or not rest.endswith('"'):
            self._refuse(self._end, 'expected a closing "')
        return rest[1:-1]

    def scalar(self) -> Value:
        rest = self._rest()
        if not _SCALAR.fullmatch(rest):
            return self.words()
        try:
            value: Value = json.loads(rest)
        except ValueError:  # an escape that is none, a number with too many digits
            self._refuse(self._at, "expected a JSON value or text")
        if isinstance(value, float) and not math.isfinite(value):
            self._refuse(self._at, "expected a number that is not that large")
        return value

    def _skip_blanks(self) -> bool:
        before = self._at
        while self._at < self._end and self._text[self._at].isspace():
            self._at += 1
        return self._at > before

    def _refuse(self, at: int, why: str) -> NoReturn:
        position = str(at + 1)
        shown = self._text if len(self._text) <= TEXT_MAX else f"{self._text[:100]}..."
        raise errors.invalid(self._field, f"{shown!r}: {why} (position {position})", assertion=shown, position=position)


_Rule = tuple[tuple[str, ...], Callable[[_Reader], Value]]
_RULES: Final[Mapping[tuple[str, str], _Rule]] = {
    ("metric", "duration"): (_ORDER, _Reader.length),
    ("metric", "count"): (_ORDER, _Reader.integer),
    ("metric", "error_count"): (_ORDER, _Reader.integer),
    ("metric", "error_rate"): (_ORDER, _Reader.rate),
    ("response", "time"): (_ORDER, _Reader.length),
    ("response", "code"): (_ORDER, _Reader.integer),
    ("response", "body"): (_TEXTS, _Reader.words),
    ("response", "json"): (_ANY, _Reader.scalar),
    ("response", "header"): (_ANY, _Reader.words),
    ("resource", "last_modified"): (_ORDER, _Reader.length),
    ("resource", "item_count"): (_ORDER, _Reader.integer),
    ("resource", "public"): (("=",), _Reader.truth),
    ("ssl_certificate", "expires_in"): (_ORDER, _Reader.length),
}
