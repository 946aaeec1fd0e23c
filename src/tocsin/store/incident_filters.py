"""An AIP-160 filter on incidents → WHERE. Values are bound parameters, never text of the statement.

monitor, environment   the monitor's id, the environment's name: = and != with `*` for anything; `:` means "contains"
group, tags            of the monitor, as in filters on monitors
cause                  missed, timeout, error
state                  open, acknowledged, resolved: one of these
muted                  true, false: opened while nobody was to be told
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import and_

from tocsin.domain.incident import Cause
from tocsin.store import filters
from tocsin.store.filter_text import Test, fail, parse
from tocsin.store.filters import Where
from tocsin.store.schema import environments, incidents, monitors


def where(text: str) -> Where:
    """For a statement that joins monitors and environments. InvalidArgument FILTER_INVALID says where in the text."""
    return filters.clause_of(parse(text), _positive)


def _positive(test: Test) -> Where:
    head, *rest = test.field
    field = _FIELDS.get(head)
    if field is None or rest:
        fail(test.position, f"there is no field {'.'.join(test.field)!r}; fields are {', '.join(sorted(_FIELDS))}")
    return field(test)


def _cause(test: Test) -> Where:
    cause: Where = incidents.c.cause == filters.one_of(test, _CAUSES)
    return cause


def _state(test: Test) -> Where:
    state: Where = filters.one_of(test, _STATES)
    return state


_CAUSES: Final = {cause.value: cause.value for cause in Cause} | {"timed_out": Cause.TIMED_OUT.value}
_OPEN: Final = incidents.c.resolve_time.is_(None)
_STATES: Final = {
    "open": and_(_OPEN, incidents.c.acknowledge_time.is_(None)),
    "acknowledged": and_(_OPEN, incidents.c.acknowledge_time.is_not(None)),
    "resolved": incidents.c.resolve_time.is_not(None),
}
_FIELDS: Final[dict[str, Callable[[Test], Where]]] = {
    "monitor": filters.text_of(monitors.c.id),
    "environment": filters.text_of(environments.c.name),
    "group": filters.group_of,
    "tags": filters.tags_of,
    "cause": _cause,
    "state": _state,
    "muted": filters.flag_of(incidents.c.muted),
}
