"""Check groups: the body of a request as fields of the domain's group, and the group as Checkly shows it.

What no field of the domain says is kept in the group's extras, as it was given. The value of a secret variable is kept
for templates, and shown to nobody.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from tocsin.dialects.checkly.call import DIALECT
from tocsin.dialects.checkly.checks import alert_settings, schema, values
from tocsin.dialects.checkly.checks.schema import Reader
from tocsin.dialects.checkly.problems import Problems
from tocsin.dialects.checkly.times import iso, iso_or_none
from tocsin.domain.group import NAME_MAX, Group
from tocsin.domain.notification import Subscription

CONCURRENCY: Final = 3
CONCURRENCY_MAX: Final = 1_000
OBJECT_MAX: Final = 65_536  # bytes of JSON
_VARIABLES: Final = "environmentVariables"
_SETTINGS: Final = "alertSettings"
_GLOBAL: Final = "useGlobalAlertSettings"
_SUBSCRIPTIONS: Final = "alertChannelSubscriptions"
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class Planned(NamedTuple):
    """What is to be written of one group."""

    values: dict[str, Any]  # fields of `Group`
    subscriptions: tuple[tuple[int, bool], ...] | None  # (number of the channel, active); None: they stay as they are


def read(payload: Any, known: Group | None, version: int, problems: Problems) -> Planned:
    """What a request says; of a new group the rest is the default, which `version` 2 has others of than 1."""
    body = values.members(payload, "payload", problems) or {}
    version = 2 if body.get("v") == 2 else version
    said = _said(body, problems)
    if (known is None or "name" in body) and not said.get("name"):
        if not any(problem.field == "name" for problem in problems.found):
            problems.wrong("name", "is required and must not be empty")
        said["name"] = ""
    if known is None:
        said = {_GLOBAL: None if version == 2 else True, "v": version} | said
    elif body.get("v") == 2:  # a declaration, which leaves out what is null
        said = {_GLOBAL: None} | said
    before = kept_of(known)
    fields: dict[str, Any] = {
        field: said[name]
        for name, field in (
            ("name", "display_name"),
            ("tags", "tags"),
            ("muted", "muted"),
            (_GLOBAL, "project_escalation"),
        )
        if name in said
    }
    if "activated" in said:
        fields["inactive"] = not said["activated"]
    if _SETTINGS in said:
        fields["escalation"] = None if said[_SETTINGS] is None else alert_settings.escalation_of(said[_SETTINGS])
    kept = _kept(said, before)
    if known is None or kept != before:
        fields["extras"] = {DIALECT: msgspec.Raw(_encode(kept))}
    return Planned(fields, said.get(_SUBSCRIPTIONS))


def kept_of(group: Group | None) -> dict[str, Any]:
    raw = None if group is None else group.extras.get(DIALECT)
    found = {} if raw is None else msgspec.json.decode(raw)
    return found if isinstance(found, dict) else {}


def show(
    group: Group, checks: Iterable[str], subscriptions: Iterable[Subscription], bindings: Mapping[str, Any]
) -> dict[str, Any]:
    """`checks`: the dashed UUIDs of its members."""
    kept = kept_of(group)
    changed = group.update_time != group.create_time
    settings = None
    if kept.get("v") != 2 or group.escalation is not None:
        settings = alert_settings.shown(kept.get(_SETTINGS), group.escalation)
    return {
        "id": group.number,
        "name": group.display_name or group.key,
        "activated": not group.inactive,
        "muted": group.muted,
        "tags": group.tags,
        "locations": kept.get("locations", []),
        "privateLocations": kept.get("privateLocations", []),
        "concurrency": kept.get("concurrency", CONCURRENCY),
        "runParallel": kept.get("runParallel", False),
        "doubleCheck": kept.get("doubleCheck", True),
        "retryStrategy": kept.get("retryStrategy", {"type": "FALLBACK"} if kept.get("v") == 2 else None),
        "apiCheckDefaults": kept.get("apiCheckDefaults", {}),
        "browserCheckDefaults": kept.get("browserCheckDefaults", {}),
        _VARIABLES: [{**one, "value": None} if one.get("secret") else one for one in kept.get(_VARIABLES, [])],
        _GLOBAL: group.project_escalation,
        _SETTINGS: settings,
        _SUBSCRIPTIONS: [{"alertChannelId": one.channel, "activated": one.active} for one in subscriptions],
        "setupSnippetId": kept.get("setupSnippetId"),
        "tearDownSnippetId": kept.get("tearDownSnippetId"),
        "localSetupScript": kept.get("localSetupScript"),
        "localTearDownScript": kept.get("localTearDownScript"),
        "runtimeId": kept.get("runtimeId"),
        "frequency": kept.get("frequency"),
        "checks": list(checks),
        "created_at": iso(group.create_time),
        "updated_at": iso_or_none(group.update_time if changed else None),
        "projectBindings": bindings,
    }


def _said(body: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """By attribute. Null clears where there is something to clear, and is no word about the others."""
    said: dict[str, Any] = {}
    for name, (reader, nullable) in ATTRIBUTES.items():
        if name not in body:
            continue
        value = body[name]
        if value is not None:
            before = len(problems.found)
            found = reader(value, name, problems)
            if len(problems.found) == before:
                said[name] = found
        elif nullable:
            said[name] = None
    return said


def _kept(said: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What is said over what was; null takes away."""
    kept = dict(before)
    for name, value in said.items():
        if name in _ELSEWHERE:
            continue
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = _with_secrets(value, before.get(_VARIABLES, [])) if name == _VARIABLES else value
    return kept


def _with_secrets(said: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who sends back what was shown says nothing about the value of a secret."""
    known = {one["key"]: one["value"] for one in before if one.get("secret")}
    return [{**one, "value": known.get(one["key"], "")} if one["secret"] and not one["value"] else one for one in said]


def _variables(value: Any, name: str, problems: Problems) -> list[dict[str, Any]] | None:
    found = values.items(value, name, problems, most=schema.VARIABLES_MAX)
    kept: list[dict[str, Any]] = []
    for index, one in enumerate(found or ()):
        where = f"{name}[{index}]"
        parts = values.members(one, where, problems)
        if parts is None:
            continue
        content = parts.get("value")
        kept.append(
            {
                "key": values.text(parts.get("key"), f"{where}.key", problems, least=1, most=1_000),
                "value": ""
                if content is None
                else values.text(content, f"{where}.value", problems, most=schema.TEXT_MAX),
                "locked": values.flag(parts.get("locked"), f"{where}.locked", problems) or False,
                "secret": values.flag(parts.get("secret"), f"{where}.secret", problems) or False,
            }
        )
    return kept


def _object(value: Any, name: str, problems: Problems) -> Mapping[str, Any] | None:
    """Without an effect on heartbeats: kept as it is, up to a bound."""
    found = values.members(value, name, problems)
    if found is not None and len(msgspec.json.encode(found)) > OBJECT_MAX:
        problems.wrong(name, f"must be JSON of at most {OBJECT_MAX} bytes")
    return found


def _private(value: Any, name: str, problems: Problems) -> list[str | None]:
    found = values.items(value, name, problems, most=100) or []
    return [values.text(one, f"{name}[{index}]", problems, most=200) for index, one in enumerate(found)]


def _name(value: Any, name: str, problems: Problems) -> str | None:
    return values.text(value, name, problems, most=NAME_MAX)


def _concurrency(value: Any, name: str, problems: Problems) -> int | None:
    return values.whole(value, name, problems, least=1, most=CONCURRENCY_MAX)


def _flag(value: Any, name: str, problems: Problems) -> bool | None:
    return values.flag(value, name, problems)


_SHARED: Final = (  # attributes that checks have too, and null of which takes them away
    *("locations", "runtimeId", "setupSnippetId", "tearDownSnippetId", "localSetupScript", "localTearDownScript"),
    "frequency",
)
# Name → how it is read, and whether null takes it away.
ATTRIBUTES: Final[dict[str, tuple[Reader, bool]]] = {
    "name": (_name, False),
    "activated": (_flag, False),
    "muted": (_flag, False),
    "tags": (schema.ATTRIBUTES["tags"][0], False),
    _SETTINGS: (alert_settings.read, True),
    _GLOBAL: (_flag, True),
    _SUBSCRIPTIONS: (schema.ATTRIBUTES[_SUBSCRIPTIONS][0], False),
    "concurrency": (_concurrency, False),
    "runParallel": (_flag, False),
    "doubleCheck": (_flag, False),
    "retryStrategy": (_object, True),
    "apiCheckDefaults": (_object, True),
    "browserCheckDefaults": (_object, True),
    _VARIABLES: (_variables, True),
    "privateLocations": (_private, True),
    **{name: (schema.ATTRIBUTES[name][0], True) for name in _SHARED},
}
_ELSEWHERE: Final = frozenset(("name", "activated", "muted", "tags", _GLOBAL, _SUBSCRIPTIONS))
