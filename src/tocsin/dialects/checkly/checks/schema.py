"""The body of a check → the attributes that it says, each as it may be. Pure; unknown attributes do not matter.

What has no effect on a heartbeat is read as strictly as the rest, and kept.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tocsin.dialects.checkly import runtimes
from tocsin.dialects.checkly.checks import alert_settings, heartbeat, values
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.group import TAG_LENGTH_MAX, TAGS_MAX
from tocsin.service.browsing import uid_of

Said = dict[str, Any]
"""By attribute; None: null, or what counts as null, was said."""

HEARTBEAT: Final = "HEARTBEAT"
NAME_MAX: Final = 1_000
DESCRIPTION_MAX: Final = 510
TEXT_MAX: Final = 100_000  # characters of a script
VARIABLES_MAX: Final = 200
SUBSCRIPTIONS_MAX: Final = 1_000
RESPONSE_MAX: Final = 300_000
FREQUENCIES: Final = (0, 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
LOCATIONS: Final = frozenset(
    (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "af-south-1", "me-south-1"),
        *("eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1"),
        *("ap-southeast-1", "ap-southeast-2", "ap-southeast-3"),
    )
)
SEVERITIES: Final = ("CRITICAL", "MAJOR", "MEDIUM", "MINOR")
_NOTHING: Final = ("", "null")  # how forms and the reference's example write null
Reader = Callable[[Any, str, Problems], Any]


def read(body: Mapping[str, Any], problems: Problems) -> Said:
    """What it says, without what is wrong."""
    said: Said = {}
    for name, (reader, nullable) in ATTRIBUTES.items():
        if name not in body:
            continue
        value = body[name]
        if value is None:
            if nullable:
                said[name] = None
            else:
                problems.wrong(name, "must not be null")
            continue
        before = len(problems.found)
        found = reader(value, name, problems)
        if len(problems.found) == before:
            said[name] = found
    return said


def require_new(body: Mapping[str, Any], problems: Problems) -> None:
    """What a new check must say."""
    for name in ("name", "heartbeat"):
        if name not in body:
            problems.wrong(name, "is required")


def require_type(body: Mapping[str, Any], problems: Problems) -> None:
    """Where a path is for checks of every type."""
    if "checkType" not in body:
        problems.wrong("checkType", f"is required; this server runs {HEARTBEAT}")


def _flag(value: Any, name: str, problems: Problems) -> bool | None:
    return values.flag(value, name, problems)


def _text(most: int, least: int = 0) -> Reader:
    return lambda value, name, problems: values.text(value, name, problems, most=most, least=least)


def _name(value: Any, name: str, problems: Problems) -> str | None:
    return values.title(value, name, problems, most=NAME_MAX)


def _number(least: int, most: int = values.NUMBER_MAX) -> Reader:
    return lambda value, name, problems: values.number(value, name, problems, least=least, most=most)


def _whole(least: int) -> Reader:
    return lambda value, name, problems: values.whole(value, name, problems, least=least)


def _or_nothing(reader: Reader) -> Reader:
    """Texts that stand for null are null."""
    return lambda value, name, problems: None if value in _NOTHING else reader(value, name, problems)


def _type(value: Any, name: str, problems: Problems) -> str | None:
    if value == HEARTBEAT:
        return HEARTBEAT
    problems.wrong(name, f"{values.shown(value)} is not run here; this server runs {HEARTBEAT} checks only")
    return None


def _tags(value: Any, name: str, problems: Problems) -> tuple[str, ...] | None:
    found = values.items(value, name, problems, most=TAGS_MAX)
    if found is None:
        return None
    tags = [
        values.text(tag, f"{name}[{index}]", problems, least=1, most=TAG_LENGTH_MAX) or ""
        for index, tag in enumerate(found)
    ]
    return tuple(dict.fromkeys(tags))


def _locations(value: Any, name: str, problems: Problems) -> list[str | None] | None:
    found = values.items(value, name, problems, most=len(LOCATIONS))
    if found is None:
        return None
    known = sorted(LOCATIONS)
    return [values.choice(one, f"{name}[{index}]", problems, known) for index, one in enumerate(found)]


def _frequency(value: Any, name: str, problems: Problems) -> int | None:
    return values.one_of(value, name, problems, FREQUENCIES)


def _runtime(value: Any, name: str, problems: Problems) -> str | None:
    return values.choice(value, name, problems, runtimes.NAMES)


def _subscriptions(value: Any, name: str, problems: Problems) -> tuple[tuple[int, bool], ...] | None:
    """(number of the channel, active). One may be named twice, if both say the same."""
    found = values.items(value, name, problems, most=SUBSCRIPTIONS_MAX)
    if found is None:
        return None
    wanted: dict[int, bool] = {}
    for index, one in enumerate(found):
        where = f"{name}[{index}]"
        parts = values.members(one, where, problems)
        if parts is None:
            continue
        channel, member = parts.get("alertChannelId"), f"{where}.alertChannelId"
        if not values.missing(channel, member, problems):
            channel = values.whole(channel, member, problems, least=1)
        active = parts.get("activated")
        if not isinstance(active, bool):
            problems.wrong(f"{where}.activated", "is required, true or false")
        elif channel is not None and wanted.setdefault(channel, active) != active:
            problems.wrong(f"{where}.activated", f"another entry says the opposite of channel {channel}")
    return tuple(wanted.items())


def _variables(value: Any, name: str, problems: Problems) -> list[dict[str, Any]] | None:
    """Nothing runs with them, so the value of a secret is not even kept."""
    found = values.items(value, name, problems, most=VARIABLES_MAX)
    if found is None:
        return None
    kept: list[dict[str, Any]] = []
    for index, one in enumerate(found):
        where = f"{name}[{index}]"
        parts = values.members(one, where, problems)
        if parts is None:
            continue
        key = _needed(parts, "key", where, problems, least=1, most=1_000)
        locked = values.flag(parts.get("locked"), f"{where}.locked", problems) or False
        secret = values.flag(parts.get("secret"), f"{where}.secret", problems) or False
        content = parts.get("value")
        if content is not None or not secret:  # who sends back what was read of a secret has no value
            content = _needed(parts, "value", where, problems, most=TEXT_MAX)
        kept.append({"key": key, "value": "" if secret else content, "locked": locked, "secret": secret})
    return kept


def _incident(value: Any, name: str, problems: Problems) -> dict[str, Any] | None:
    parts = values.members(value, name, problems)
    if parts is None:
        return None
    service, severity = parts.get("serviceId"), parts.get("severity")
    if not values.missing(service, f"{name}.serviceId", problems) and (
        not isinstance(service, str) or uid_of(service) is None
    ):
        problems.wrong(f"{name}.serviceId", f"{values.shown(service)} must be a UUID")
    if not values.missing(severity, f"{name}.severity", problems):
        values.choice(severity, f"{name}.severity", problems, SEVERITIES)
    told = parts.get("notifySubscribers")
    if not isinstance(told, bool):
        problems.wrong(f"{name}.notifySubscribers", "is required, true or false")
    return {
        "serviceId": service,
        "severity": severity,
        "name": _needed(parts, "name", name, problems, most=NAME_MAX),
        "description": _needed(parts, "description", name, problems, most=TEXT_MAX),
        "notifySubscribers": told,
    }


def _needed(
    parts: Mapping[str, Any], member: str, name: str, problems: Problems, *, most: int, least: int = 0
) -> str | None:
    """A text that must be there."""
    value, where = parts.get(member), f"{name}.{member}"
    if values.missing(value, where, problems):
        return None
    return values.text(value, where, problems, most=most, least=least)


def _intent(value: Any, name: str, problems: Problems) -> dict[str, Any] | None:
    parts = values.members(value, name, problems)
    if parts is None:
        return None
    found: dict[str, Any] = {"goal": parts.get("goal")}
    if found["goal"] is not None:
        values.text(found["goal"], f"{name}.goal", problems, most=TEXT_MAX)
    for member in ("requiredOutcomes", "mustPreserve"):
        listed = values.items(parts.get(member) or [], f"{name}.{member}", problems, most=100) or []
        for index, one in enumerate(listed):
            values.text(one, f"{name}.{member}[{index}]", problems, most=TEXT_MAX)
        found[member] = listed
    return found


# Name → how it is read, and whether null may be said.
ATTRIBUTES: Final[dict[str, tuple[Reader, bool]]] = {
    "name": (_name, False),
    "heartbeat": (heartbeat.read, False),
    "checkType": (_type, False),
    "activated": (_flag, False),
    "muted": (_flag, False),
    "tags": (_tags, False),
    "description": (_text(DESCRIPTION_MAX), True),
    "alertSettings": (alert_settings.read, True),
    "useGlobalAlertSettings": (_flag, False),
    "alertChannelSubscriptions": (_subscriptions, False),
    "groupId": (_or_nothing(_whole(1)), True),
    "groupOrder": (_or_nothing(_number(0)), True),
    "triggerIncident": (_incident, True),
    "runParallel": (_flag, False),
    "locations": (_locations, True),
    "intent": (_intent, True),
    "aiAutoRepairEnabled": (_flag, True),
    "doubleCheck": (_flag, False),
    "shouldFail": (_flag, False),
    "frequency": (_frequency, True),
    "frequencyOffset": (_whole(1), True),
    "runtimeId": (_runtime, True),
    "script": (_text(TEXT_MAX), True),
    "scriptPath": (_text(TEXT_MAX), True),
    "sslCheckDomain": (_text(TEXT_MAX), True),
    "environmentVariables": (_variables, True),
    "setupSnippetId": (_number(0), True),
    "tearDownSnippetId": (_number(0), True),
    "localSetupScript": (_text(TEXT_MAX), True),
    "localTearDownScript": (_text(TEXT_MAX), True),
    "degradedResponseTime": (_number(0, RESPONSE_MAX), True),
    "maxResponseTime": (_number(0, RESPONSE_MAX), True),
}
