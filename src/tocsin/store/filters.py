"""An AIP-160 filter on monitors → WHERE. Values are bound parameters, never text of the statement.

id, display_name, owner, origin   = and != with `*` for anything; `:` means "contains"; letter case does not matter
group                             the key as it is written, or with `*` or `:` as above; `group = ""`: in none
tags                              `tags:x` means "has the tag x", `tags:*` any; letter case does not matter
kind                              job, heartbeat
state                             that of any of its environments, as shown: missed, late, ok, …; at the durable clock
healthy                           false while an incident is open in any of its environments
disabled, inactive                true, false
labels.x                          as text; `labels:x` and `labels.x:*` mean "has the label x"
"""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, func, not_, or_, select

from tocsin.domain.monitor import Kind
from tocsin.domain.track import DisplayState, Health, Verdict
from tocsin.store import tags, texts
from tocsin.store.filter_text import All, Not, Some, Test, Tree, fail, parse
from tocsin.store.schema import PARTITION, monitors, partitions, tracks

Where = ColumnElement[bool]


def where(text: str) -> Where:
    """InvalidArgument FILTER_INVALID says where in the text and what would do."""
    return clause_of(parse(text), _positive)


def clause_of(tree: Tree, positive: Callable[[Test], Where]) -> Where:
    """`positive` makes a clause of a test as if its operator were not "!="."""
    match tree:
        case All(terms):
            return and_(*(clause_of(term, positive) for term in terms))
        case Some(terms):
            return or_(*(clause_of(term, positive) for term in terms))
        case Not(term):
            return not_(clause_of(term, positive))
        case Test():
            clause = positive(tree)
            return not_(clause) if tree.operator == "!=" else clause


def _positive(test: Test) -> Where:
    head, *rest = test.field
    if head == "labels":
        return _labels(test, rest)
    field = _FIELDS.get(head)
    if field is None or rest:
        fail(
            test.position,
            f"there is no field {'.'.join(test.field)!r}; fields are {', '.join(sorted(_FIELDS))} and labels.NAME",
        )
    return field(test)


def text_of(column: ColumnElement[Any]) -> Callable[[Test], Where]:
    return lambda test: _matches(column, test)


def _matches(column: ColumnElement[Any], test: Test) -> Where:
    if test.operator == ":" and test.value != "*":
        return texts.contains(column, test.value)
    return texts.matches(column, test.value) if "*" in test.value else texts.equals(column, test.value)


def group_of(test: Test) -> Where:
    column = monitors.c.group
    if test.operator == ":" or "*" in test.value:
        return _matches(column, test)
    same: Where = column == texts.clean(test.value)
    return same


def tags_of(test: Test) -> Where:
    if test.operator != ":":
        fail(test.position, "a monitor has many tags: write tags:NAME, or tags:* for any")
    return tags.has(monitors.c.tags, "" if test.value == "*" else test.value)


def _labels(test: Test, rest: list[str]) -> Where:
    if not rest and test.operator == ":":
        return _label(test, test.value).is_not(None)
    if not rest:
        fail(test.position, "write labels.NAME = value, or labels:NAME")
    label = _label(test, ".".join(rest))
    if test.operator == ":" and test.value == "*":
        return label.is_not(None)
    return and_(label.is_not(None), _matches(label, test))  # and not NULL, which NOT would leave NULL


def _label(test: Test, name: str) -> ColumnElement[Any]:
    if '"' in name or "\\" in name:
        fail(test.position, "labels with quotes or backslashes in their names cannot be asked for")
    return texts.Member(monitors.c.body, "labels", name)


def flag_of(clause: Where) -> Callable[[Test], Where]:
    def flag(test: Test) -> Where:
        return clause if one_of(test, {"true": True, "false": False}) else not_(clause)

    return flag


def _kind(test: Test) -> Where:
    kind: Where = monitors.c.kind == one_of(test, {kind.value: kind.value for kind in Kind})
    return kind


def _state(test: Test) -> Where:
    wanted = one_of(test, _STATES)
    clock = select(func.coalesce(partitions.c.alive_at, 0)).where(partitions.c.id == PARTITION).scalar_subquery()
    paused = func.coalesce(monitors.c.paused_until, 0) > clock
    # The same order as domain.track.display_state.
    shown = case(
        (paused, DisplayState.PAUSED.value),
        (tracks.c.verdict == Verdict.MISSED, DisplayState.MISSED.value),
        (tracks.c.verdict == Verdict.TIMED_OUT, DisplayState.TIMEOUT.value),
        (tracks.c.verdict == Verdict.ERROR, DisplayState.ERROR.value),
        (tracks.c.expected < clock, DisplayState.LATE.value),
        (tracks.c.open_runs > 0, DisplayState.RUNNING.value),
        (tracks.c.verdict == Verdict.UNKNOWN, DisplayState.UNKNOWN.value),
        (tracks.c.verdict == Verdict.OK, DisplayState.OK.value),
        else_=DisplayState.NEW.value,
    )
    mine = tracks.c.monitor == monitors.c.number
    alone = case((paused, DisplayState.PAUSED.value), else_=DisplayState.NEW.value)
    return or_(exists().where(mine, shown == wanted), and_(alone == wanted, not_(exists().where(mine))))


def one_of(test: Test, words: dict[str, Any]) -> Any:
    value = words.get(test.value.lower())
    if value is None:
        fail(test.position, f"{test.value!r} is not a value of {test.field[0]}; values are {', '.join(words)}")
    return value


_STATES: Final = {state.value: state.value for state in DisplayState} | {"timed_out": DisplayState.TIMEOUT.value}
_UNHEALTHY: Final = exists().where(tracks.c.monitor == monitors.c.number, tracks.c.health == Health.UNHEALTHY)
_FIELDS: Final[dict[str, Callable[[Test], Where]]] = {
    "id": text_of(monitors.c.id),
    "display_name": text_of(monitors.c.display_name),
    "owner": text_of(monitors.c.owner),
    "origin": text_of(monitors.c.origin),
    "group": group_of,
    "tags": tags_of,
    "kind": _kind,
    "state": _state,
    "healthy": flag_of(not_(_UNHEALTHY)),
    "disabled": flag_of(monitors.c.disabled),
    "inactive": flag_of(monitors.c.inactive),
}
