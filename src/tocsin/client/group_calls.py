"""Calls of GroupService: named sets of monitors."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, TypedDict, Unpack

from google.protobuf.empty_pb2 import Empty
from google.protobuf.field_mask_pb2 import FieldMask

from tocsin.client.calls import Call, Method, Pages, pages, unary
from tocsin.client.fields import PROJECT, EscalationFields, escalation_message, length, monitor_name
from tocsin.v1 import group_pb2
from tocsin.v1 import group_service_pb2 as pb

Group = group_pb2.Group
_SERVICE: Final = "GroupService"
_GET: Final = Method(_SERVICE, "GetGroup", pb.GetGroupRequest, Group)
_LIST: Final = Method(_SERVICE, "ListGroups", pb.ListGroupsRequest, pb.ListGroupsResponse)
_UPDATE: Final = Method(_SERVICE, "UpdateGroup", pb.UpdateGroupRequest, Group)
_DELETE: Final = Method(_SERVICE, "DeleteGroup", pb.DeleteGroupRequest, Empty)
_SET: Final = Method(_SERVICE, "SetGroupMonitors", pb.SetGroupMonitorsRequest, Group)
_MUTE: Final = Method(_SERVICE, "MuteGroup", pb.MuteGroupRequest, Group)
_UNMUTE: Final = Method(_SERVICE, "UnmuteGroup", pb.UnmuteGroupRequest, Group)


class GroupFields(TypedDict, total=False):
    """What a group decides of its members."""

    tags: Sequence[str]  # they count as having them where a window silences by tags
    muted: bool  # nobody is told of them
    escalation: EscalationFields | None  # holds where `project_escalation` is False
    project_escalation: bool | None  # True: the project's holds; None: each member's own


def put_group(group: str, *, display_name: str = "", **fields: Unpack[GroupFields]) -> Call[Group]:
    """Makes or renames a group. A monitor says itself in which it is: `put_monitor("backup", group="night")`.

    What else it decides of its members changes only where it is named. ClientError: FIELD_INVALID …
    """
    message = Group(name=_name(group), display_name=display_name)
    if (wanted := fields.get("escalation")) is not None:
        message.escalation.CopyFrom(escalation_message(**wanted))
    message.tags.extend(fields.get("tags", ()))
    message.muted = fields.get("muted", False)
    if (project := fields.get("project_escalation")) is not None:
        message.project_escalation = project
    mask = FieldMask(paths=["display_name", *sorted(fields)])
    return unary(_UPDATE, pb.UpdateGroupRequest(group=message, update_mask=mask, allow_missing=True))


def get_group(group: str) -> Call[Group]:
    """Reads a group. ClientError: GROUP_NOT_FOUND."""
    return unary(_GET, pb.GetGroupRequest(name=_name(group)))


def groups(*, page_size: int = 1000) -> Pages[Group]:
    """Iterates over the project's groups, by key; their members are `monitors(filter='group = "KEY"')`."""
    request = pb.ListGroupsRequest(parent=PROJECT, page_size=page_size)
    return pages(_LIST, request, lambda answer: answer.groups)


def set_group_monitors(group: str, monitors: Iterable[str]) -> Call[Group]:
    """Makes these monitors, and no others, its members. ClientError: GROUP_NOT_FOUND, MONITOR_NOT_FOUND."""
    wanted = [monitor_name(monitor) for monitor in monitors]
    return unary(_SET, pb.SetGroupMonitorsRequest(name=_name(group), monitors=wanted))


def mute_group(group: str, duration: float | timedelta | None = None) -> Call[Group]:
    """Mutes every monitor that is in it now, for so many seconds or until `unmute_group`."""
    wait = None if duration is None else length(duration)
    return unary(_MUTE, pb.MuteGroupRequest(name=_name(group), mute_duration=wait))


def unmute_group(group: str) -> Call[Group]:
    """Tells people of its monitors again."""
    return unary(_UNMUTE, pb.UnmuteGroupRequest(name=_name(group)))


def delete_group(group: str, *, allow_missing: bool = False) -> Call[Empty]:
    """Deletes a group; its monitors stay, and are in none."""
    request = pb.DeleteGroupRequest(name=_name(group), allow_missing=allow_missing)
    return unary(_DELETE, request, repeatable=allow_missing)


def _name(group: str) -> str:
    return group if group.startswith("projects/") else f"{PROJECT}/groups/{group}"
