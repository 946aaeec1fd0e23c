"""The body of a deployment: the project, and the resources that it declares.

What does not run here is refused, each resource by its name and all of them at once: nobody shall believe that it runs.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tocsin.dialects.checkly.problems import Problems, Refused
from tocsin.dialects.words import CHECKLY_WORDS
from tocsin.domain import deployment as rules
from tocsin.domain.errors import InvalidArgument

CHECK: Final = "check"
GROUP: Final = "check-group"
CHANNEL: Final = "alert-channel"
SUBSCRIPTION: Final = "alert-channel-subscription"
WINDOW: Final = "maintenance-window"
TYPES: Final = (GROUP, CHANNEL, WINDOW, CHECK, SUBSCRIPTION)
"""What runs here, in the order in which it is made; it is taken away in the opposite one."""

HEARTBEAT: Final = "HEARTBEAT"
RESOURCES_MAX: Final = 50_000
CHECKS_MAX: Final = 10_000
REFUSED_SHOWN: Final = 100
_WORDS: Final = ", ".join(CHECKLY_WORDS)
RUNS: Final = (
    "tocsin runs heartbeat checks, check groups, alert channels with their subscriptions, and maintenance windows"
)


class Declared(NamedTuple):
    """One resource of a project."""

    type: str  # of TYPES
    logical_id: str
    payload: Mapping[str, Any]  # empty of one that is no member
    member: bool = True  # False: it is there already, and the project only speaks of it
    physical: int | str | None = None  # what it is here, of one that is no member

    @property
    def told(self) -> str:
        """As messages name it."""
        return f"{self.type} {self.logical_id[:200]!r}"


class Project(NamedTuple):
    """What is deployed together."""

    namespace: str
    name: str
    source: str  # where its text is kept, a URL
    resources: tuple[Declared, ...]


def read(body: Mapping[str, Any]) -> Project:
    """Refused 400 names everything that is wrong with it, but for what is in the payloads."""
    problems = Problems()
    said = body.get("project")
    said = said if isinstance(said, Mapping) else {}
    namespace = _text(problems, said.get("logicalId"), rules.NAMESPACE_MAX, "project.logicalId")
    if "/" in namespace or namespace in CHECKLY_WORDS:  # paths could not name it
        problems.wrong("project.logicalId", f"{namespace[:64]!r} must have no slash, and not be one of {_WORDS}")
    name = _text(problems, said.get("name"), rules.NAME_MAX, "project.name")
    source = _text(problems, said.get("repoUrl") or "-", rules.SOURCE_MAX, "project.repoUrl")
    listed = body.get("resources")
    if not isinstance(listed, list) or len(listed) > RESOURCES_MAX:
        problems.wrong("resources", f"must be a list of at most {RESOURCES_MAX}")
        listed = []
    resources = [_resource(problems, one, f"resources[{index}]") for index, one in enumerate(listed)]
    problems.done()
    found = [one for one in resources if one is not None]
    _refuse_what_does_not_run(found)
    seen: set[tuple[str, str]] = set()
    for one in found:
        if (one.type, one.logical_id) in seen:
            problems.wrong("logicalId", "is declared twice", one.told)
        seen.add((one.type, one.logical_id))
    if sum(one.type == CHECK for one in found) > CHECKS_MAX:
        problems.wrong("resources", f"at most {CHECKS_MAX} checks")
    problems.done()
    return Project(namespace, name, "" if source == "-" else source, tuple(found))


def _resource(problems: Problems, said: Any, field: str) -> Declared | None:
    if not isinstance(said, Mapping):
        problems.wrong(field, "must be an object")
        return None
    known = len(problems.found)
    kind = _text(problems, said.get("type"), rules.NAMESPACE_MAX, f"{field}.type")
    logical_id = _text(problems, said.get("logicalId"), rules.LOGICAL_ID_MAX, f"{field}.logicalId")
    member = said.get("member", True)
    if member is None or not isinstance(member, bool):
        problems.wrong(f"{field}.member", "must be true or false")
    payload, physical = said.get("payload"), said.get("physicalId")
    if payload is not None and not isinstance(payload, Mapping):
        problems.wrong(f"{field}.payload", "must be an object")
    elif member and payload is None:
        problems.wrong(f"{field}.payload", "is required")
    if isinstance(physical, bool) or not isinstance(physical, int | str | None):
        problems.wrong(f"{field}.physicalId", "must be a number or a UUID")
    elif member is False and physical is None:
        problems.wrong(f"{field}.physicalId", "is required of what is no member of the project")
    if len(problems.found) > known:
        return None
    return Declared(kind, logical_id, payload or {}, bool(member), physical)


def _refuse_what_does_not_run(resources: list[Declared]) -> None:
    lines = [line for one in resources if (line := _why_not(one))]
    if not lines:
        return
    more = len(lines) - REFUSED_SHOWN
    shown = [*lines[:REFUSED_SHOWN], f"and {more} more"] if more > 0 else lines
    raise Refused(400, f"nothing was deployed, because not everything would run. {'; '.join(shown)}. {RUNS}")


def _why_not(one: Declared) -> str:
    if one.type not in TYPES:
        return f"{one.told}: {one.type[:100]} is not run here"
    kind = one.payload.get("checkType", HEARTBEAT)
    if one.type == CHECK and kind != HEARTBEAT:
        return f"{one.told}: checks of the type {str(kind)[:100]} are not run here"
    return ""


def _text(problems: Problems, value: Any, most: int, field: str) -> str:
    if not isinstance(value, str):
        problems.wrong(field, "is required and must be text")
        return ""
    try:
        return rules.check_length(value, most, field)
    except InvalidArgument as problem:
        problems.wrong_by(problem)
        return ""
