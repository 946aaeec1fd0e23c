"""What the attributes of a check come to in the domain, and the change that brings it there. Pure.

What no field of the domain says is kept in the monitor's extras, as it was given: units, settings without an effect,
and whether the check is activated by itself, whatever its group is. The same attributes again are the same monitor.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from tocsin.dialects.checkly.call import DIALECT
from tocsin.dialects.checkly.checks import alert_settings
from tocsin.dialects.checkly.checks.heartbeat import UNITS, Heartbeat, Length
from tocsin.dialects.checkly.checks.schema import Said
from tocsin.domain.group import Group
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.monitor import AlertPolicy, Kind, Monitor, MonitorChange
from tocsin.domain.schedule import Rolling

# Attributes that the domain says: the others are kept as they are given. `checkType` is always the same.
_ELSEWHERE: Final = frozenset(
    ("name", "checkType", "muted", "tags", "useGlobalAlertSettings", "alertChannelSubscriptions", "groupId")
)
# What is read where nothing is kept: so who sends back what was read has said nothing.
_DEFAULTS: Final = {"locations": [], "runParallel": False, "alertSettings": alert_settings.defaults()}
KEPT_MAX: Final = 256 * 1024
"""Bytes of what is kept of one check: a page has a hundred of them."""
_HELD: Final = "offWithGroup"  # no attribute of a check
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class Kept(NamedTuple):
    """What is in a monitor's extras."""

    members: Mapping[str, Any]

    @property
    def activated(self) -> bool | None:
        """The check by itself. None: nobody has said."""
        return self.members.get("activated")

    @property
    def held(self) -> bool:
        """Whether it is off for no other reason than that its group is."""
        return self.members.get(_HELD) is True

    @property
    def alert_settings(self) -> alert_settings.Settings | None:
        return self.members.get("alertSettings")

    def length(self, member: str) -> Length | None:
        """`period` or `grace` as it was given."""
        found = self.members.get("heartbeat", {})
        unit = found.get(f"{member}Unit")
        return Length(found[member], unit) if unit in UNITS else None

    def get(self, member: str) -> Any:
        return self.members.get(member)


class Planned(NamedTuple):
    """What is to be written of one check."""

    change: MonitorChange
    subscriptions: tuple[tuple[int, bool], ...] | None  # (number of the channel, active); None: they stay as they are
    group: Group | None = None  # the one that it will be in, as it was when this was planned


def too_long(change: MonitorChange) -> bool:
    """Whether it would keep more than it may."""
    return change.extras is not UNSET and len(bytes(change.extras[DIALECT])) > KEPT_MAX


def is_check(monitor: Monitor) -> bool:
    """Whether it can be shown as a heartbeat: one rolling schedule, and no other."""
    schedules = monitor.policy.schedules
    return len(schedules) == 1 and isinstance(schedules[0], Rolling)


def kept_of(monitor: Monitor | None) -> Kept:
    return Kept({}) if monitor is None else kept_in(monitor.extras)


def kept_in(extras: Mapping[str, msgspec.Raw]) -> Kept:
    """Of a monitor or a group."""
    raw = extras.get(DIALECT)
    found = {} if raw is None else msgspec.json.decode(raw)
    return Kept(found if isinstance(found, dict) else {})


def is_activated(monitor: Monitor, group: Group | None) -> bool:
    """The check by itself. While it is off nothing but the extras tells whether that is for its group's sake.

    So it is of one that was left behind, off, when its group was switched on.
    """
    own = kept_of(monitor)
    if group is not None and group.inactive:
        return own.activated is not False
    return not monitor.inactive or own.held


def is_muted(monitor: Monitor, now: Instant) -> bool:
    return monitor.muted_until is not None and monitor.muted_until > now


def plan(
    said: Said, known: Monitor | None, former: Group | None, group: Group | None, now: Instant, *, token: str
) -> Planned:
    """`known`: the monitor as it is; None: there is none yet, and `said` has what one must have.

    `former` is the group that it is in, `group` the one that it will be in: the same, where `said` names none.
    `token`: of the ping URL, 32 hex characters, for a check that has none and is given none.
    """
    before = kept_of(known)
    activated = said.get("activated", True if known is None else is_activated(known, former))
    beat: Heartbeat | None = said.get("heartbeat")
    kept = _held(_kept(said, before, activated=activated), group)
    change = MonitorChange(
        policy=_policy(beat, known),
        tolerance=_tolerance(beat, known),
        display_name=said.get("name", UNSET),
        alert_policy=_alert_policy(said, kept, known),
        group=(group.key if group else "") if known is None or "groupId" in said else UNSET,
        tags=said.get("tags", UNSET),
        inactive=_is_inactive(group, activated=activated),
        muted_until=_muted_until(said, known, now),
        ping_token=_token(beat, known, token),
        extras=_extras(kept, before, known),
        origin=DIALECT,
    )
    return Planned(change, said.get("alertChannelSubscriptions"), group)


def regrouping(monitor: Monitor, former: Group | None, group: Group | None) -> MonitorChange:
    """What becomes of a check whose group is switched on or off: `former` as it was, `group` as it is now.

    Also of one that moves from one to the other.
    """
    before = kept_of(monitor)
    activated = is_activated(monitor, former)
    return MonitorChange(
        inactive=_is_inactive(group, activated=activated),
        extras=_extras(_held({**before.members, "activated": activated}, group), before, monitor),
        origin=DIALECT,
    )


def _is_inactive(group: Group | None, *, activated: bool) -> bool:
    return not activated or (group is not None and group.inactive)


def _held(kept: Mapping[str, Any], group: Group | None) -> dict[str, Any]:
    """With the mark of those that are off for their group's sake, or without it."""
    found = {name: value for name, value in kept.items() if name != _HELD}
    if kept["activated"] and group is not None and group.inactive:
        found[_HELD] = True
    return found


def _extras(kept: Mapping[str, Any], before: Kept, known: Monitor | None) -> dict[str, msgspec.Raw] | UnsetType:
    """Nothing where they say the same, however that is spelt."""
    if known is not None and kept == before.members:
        return UNSET
    return {DIALECT: msgspec.Raw(_encode(kept))}


def _kept(said: Said, before: Kept, *, activated: bool) -> dict[str, Any]:
    """What is said over what was; null takes away."""
    kept = {**before.members, "activated": activated}
    for name, value in said.items():
        if name in _ELSEWHERE or name == "activated":
            continue
        if value is None:
            kept.pop(name, None)
        elif isinstance(value, Heartbeat):
            kept[name] = _heartbeat_kept(value)
        else:
            kept[name] = value
    return {name: value for name, value in kept.items() if name not in _DEFAULTS or value != _DEFAULTS[name]}


def _heartbeat_kept(beat: Heartbeat) -> dict[str, Any]:
    (period, period_unit), (grace, grace_unit) = beat.period, beat.grace
    return {"period": period, "periodUnit": period_unit, "grace": grace, "graceUnit": grace_unit}


def _policy(beat: Heartbeat | None, known: Monitor | None) -> dict[str, object]:
    found: dict[str, object] = {} if known is not None else {"kind": Kind.HEARTBEAT}
    if beat is not None:
        found["schedules"] = (Rolling(beat.period.millis),)
    return found


def _tolerance(beat: Heartbeat | None, known: Monitor | None) -> dict[str, object]:
    """A new one fails with its first miss; whom that is told, and when, is the escalation's matter."""
    found: dict[str, object] = {}
    if known is None:
        found = {"max_runtime_ms": 0, "failure_threshold": 1, "recovery_threshold": 1}
    if beat is not None:
        found["margin_ms"] = beat.grace.millis
    return found


def _alert_policy(said: Said, kept: Mapping[str, Any], known: Monitor | None) -> AlertPolicy | UnsetType:
    if known is not None and not {"alertSettings", "useGlobalAlertSettings"} & said.keys():
        return UNSET
    before = AlertPolicy(project_escalation=True) if known is None else known.alert_policy
    escalation = before.escalation
    if known is None or "alertSettings" in said:
        escalation = alert_settings.escalation_of(kept.get("alertSettings") or alert_settings.defaults())
    whole = said.get("useGlobalAlertSettings", before.project_escalation)
    return msgspec.structs.replace(before, escalation=escalation, project_escalation=whole)


def _muted_until(said: Said, known: Monitor | None, now: Instant) -> Instant | UnsetType | None:
    """Who is muted, until whenever, stays so when told to be muted."""
    muted = said.get("muted")
    if muted is None or (known is not None and muted == is_muted(known, now)):
        return UNSET
    return NEVER if muted else None


def _token(beat: Heartbeat | None, known: Monitor | None, token: str) -> str | UnsetType:
    if beat is not None and beat.token:
        return beat.token
    return UNSET if known is not None and known.ping_token else token
