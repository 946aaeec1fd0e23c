"""A monitor as Checkly's clients read a check: what writes answer, and the three versions of reading. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tocsin.dialects.checkly.checks import alert_settings, heartbeat, mapping
from tocsin.dialects.checkly.checks.schema import HEARTBEAT
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.resources import channel_config
from tocsin.dialects.checkly.resources.bindings import NOBODYS
from tocsin.dialects.checkly.times import iso
from tocsin.domain.group import Group
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor
from tocsin.domain.notification import Channel, ChannelKind, Subscription
from tocsin.domain.schedule import Rolling

Json = dict[str, Any]
# Attributes without an effect here: who reads them back finds what was said.
_STORED: Final = (
    *("doubleCheck", "shouldFail", "frequency", "frequencyOffset", "runtimeId", "script", "scriptPath"),
    *("sslCheckDomain", "environmentVariables", "setupSnippetId", "tearDownSnippetId"),
    *("localSetupScript", "localTearDownScript", "degradedResponseTime", "maxResponseTime"),
)
_VARIABLES: Final = "environmentVariables"
_CONSTRAINTS: Final = (("requiredOutcomes", "REQUIRED_OUTCOME"), ("mustPreserve", "MUST_PRESERVE"))


@dataclass(frozen=True, slots=True)
class View:
    """What is read beside the monitors, and who reads it."""

    now: Instant
    ping_url: Callable[[str], str]  # of a token
    groups: Mapping[str, Group] = field(default_factory=dict)  # by key
    subscriptions: Mapping[int, Sequence[Subscription]] = field(default_factory=dict)  # by number of the monitor
    channels: Mapping[int, Channel] = field(default_factory=dict)  # by number
    bindings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by uid of the monitor
    secrets: bool = False  # whether the reader may see what channels hide
    merged: bool = False  # with what the check's group says

    def group_of(self, monitor: Monitor) -> Group | None:
        return self.groups.get(monitor.group)


def written_json(monitor: Monitor, view: View) -> Json:
    """What creating and changing a check answer."""
    kept, group = mapping.kept_of(monitor), view.group_of(monitor)
    subscriptions = view.subscriptions.get(monitor.number, ())
    activated, muted = mapping.is_activated(monitor, group), mapping.is_muted(monitor, view.now)
    tags, escalation, whole = monitor.tags, monitor.alert_policy.escalation, monitor.alert_policy.project_escalation
    settings = alert_settings.shown(kept.alert_settings, escalation)
    if view.merged and group is not None:
        tags = tuple(dict.fromkeys((*tags, *group.tags)))
        activated, muted = activated and not group.inactive, muted or group.muted
        whole, settings = _policy_within(group, whole=whole, settings=settings)
    return {
        "id": dashed(monitor.uid),
        "name": monitor.display_name or monitor.id,
        "activated": activated,
        "muted": muted,
        "tags": tags,
        "alertSettings": settings,
        "useGlobalAlertSettings": whole,
        "alertChannelSubscriptions": [
            {"alertChannelId": one.channel, "activated": one.active} for one in subscriptions
        ],
        "triggerIncident": kept.get("triggerIncident"),
        "runParallel": kept.get("runParallel") or False,
        "description": kept.get("description"),
        "intent": kept.get("intent"),
        "aiAutoRepairEnabled": kept.get("aiAutoRepairEnabled"),
        "checkType": HEARTBEAT,
        "heartbeat": heartbeat_json(monitor, view.ping_url),
        "alertChannels": _channels_json(subscriptions, view),
        "created_at": iso(monitor.create_time),
        "updated_at": iso(monitor.update_time) if monitor.revision else None,
    }


def check_json(monitor: Monitor, view: View, version: int) -> Json:
    """As version 1, 2 or 3 of the API has it."""
    kept, group = mapping.kept_of(monitor), view.group_of(monitor)
    bindings = view.bindings.get(monitor.uid, NOBODYS)
    found = written_json(monitor, view) | {
        "locations": kept.get("locations") or [],
        "privateLocations": [],
        "groupId": group.number if group is not None else None,
        "groupOrder": kept.get("groupOrder"),
        "frequency": None,
        "projectBindings": bindings,
    }
    found |= {name: kept.members[name] for name in _STORED if name in kept.members}
    if _VARIABLES in found:
        found[_VARIABLES] = [{**one, "value": None} if one["secret"] else one for one in found[_VARIABLES]]
    if version == 1:
        owner = bindings["owner"]
        found["project"] = owner["project"] if owner else None
        found["logicalId"] = owner["binding"]["logicalId"] if owner else None
        found["member"] = owner is not None
        found["pending"] = owner["binding"]["pending"] if owner else False
    if version == 3:
        found["intent"] = _constrained(found["intent"])
    return found


def heartbeat_json(monitor: Monitor, ping_url: Callable[[str], str]) -> Json:
    (schedule,) = monitor.policy.schedules
    assert isinstance(schedule, Rolling)
    kept, token = mapping.kept_of(monitor), monitor.ping_token
    period = heartbeat.in_units(schedule.period_ms, kept.length("period"))
    grace = heartbeat.in_units(monitor.policy.tolerance.margin_ms, kept.length("grace"))
    return {
        "period": period.number,
        "periodUnit": period.unit,
        "grace": grace.number,
        "graceUnit": grace.unit,
        "pingToken": dashed(token) or None,
        "pingUrl": ping_url(token) if token else None,
    }


def _policy_within(group: Group, *, whole: bool, settings: Json) -> tuple[bool, Json]:
    """What holds for a member: the group's, where it decides."""
    if group.project_escalation:
        return True, settings
    if group.project_escalation is False and group.escalation is not None:
        return False, alert_settings.shown(_settings_of(group), group.escalation)
    return whole, settings


def _settings_of(group: Group) -> Json | None:
    """As they were said of the group."""
    return mapping.kept_in(group.extras).alert_settings


def _channels_json(subscriptions: Sequence[Subscription], view: View) -> Json:
    """The kinds that the oldest clients know, each with what it had then."""
    found: Json = {"email": [], "webhook": [], "slack": [], "sms": []}
    for one in subscriptions:
        channel = view.channels.get(one.channel)
        if channel is None or not one.active:
            continue
        config = channel_config.show(channel, secrets=view.secrets)
        match channel.kind:
            case ChannelKind.EMAIL:
                found["email"].append({"address": config["address"]})
            case ChannelKind.WEBHOOK:
                names = ("name", "url", "method", "headers", "queryParameters")
                found["webhook"].append({name: config[name] for name in names})
            case ChannelKind.SLACK:
                found["slack"].append({"url": config["url"]})
            case ChannelKind.SMS:
                found["sms"].append({"number": config["number"], "name": config["name"]})
    return found


def _constrained(intent: Json | None) -> Json | None:
    if intent is None:
        return None
    constraints = [
        {"type": kind, "description": text} for member, kind in _CONSTRAINTS for text in intent.get(member) or ()
    ]
    return {"goal": intent.get("goal"), "constraints": constraints}
