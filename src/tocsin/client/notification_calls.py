"""Calls of NotificationListService, ChannelService and NoticeService: whom to tell, and what was told."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.empty_pb2 import Empty
from google.protobuf.field_mask_pb2 import FieldMask

from tocsin.client.calls import Call, Method, Pages, pages, unary
from tocsin.client.fields import PROJECT, monitor_name
from tocsin.v1 import (
    channel_pb2,
    channel_service_pb2,
    notice_pb2,
    notice_service_pb2,
    notification_list_pb2,
    notification_list_service_pb2,
)

NotificationList = notification_list_pb2.NotificationList
Channel = channel_pb2.Channel
Notice = notice_pb2.Notice
_lists, _channels, _notices = notification_list_service_pb2, channel_service_pb2, notice_service_pb2
_LISTS: Final = "NotificationListService"
_GET_LIST: Final = Method(_LISTS, "GetNotificationList", _lists.GetNotificationListRequest, NotificationList)
_LIST_LISTS: Final = Method(
    _LISTS, "ListNotificationLists", _lists.ListNotificationListsRequest, _lists.ListNotificationListsResponse
)
_UPDATE_LIST: Final = Method(_LISTS, "UpdateNotificationList", _lists.UpdateNotificationListRequest, NotificationList)
_DELETE_LIST: Final = Method(_LISTS, "DeleteNotificationList", _lists.DeleteNotificationListRequest, Empty)
_CHANNELS: Final = "ChannelService"
_GET_CHANNEL: Final = Method(_CHANNELS, "GetChannel", _channels.GetChannelRequest, Channel)
_LIST_CHANNELS: Final = Method(_CHANNELS, "ListChannels", _channels.ListChannelsRequest, _channels.ListChannelsResponse)
_UPDATE_CHANNEL: Final = Method(_CHANNELS, "UpdateChannel", _channels.UpdateChannelRequest, Channel)
_DELETE_CHANNEL: Final = Method(_CHANNELS, "DeleteChannel", _channels.DeleteChannelRequest, Empty)

_NOTICES: Final = "NoticeService"
_LIST_NOTICES: Final = Method(_NOTICES, "ListNotices", _notices.ListNoticesRequest, _notices.ListNoticesResponse)
_RETRY: Final = Method(_NOTICES, "RetryNotices", _notices.RetryNoticesRequest, _notices.RetryNoticesResponse)


def put_notification_list(
    notification_list: str,
    destinations: Sequence[str],
    *,
    environments: Sequence[str] = (),
    display_name: str = "",
) -> Call[NotificationList]:
    """Makes or replaces a list: `put_notification_list("default", ["webhook:https://example.org/hook"])`.

    `environments`: told about these only; none: about all. ClientError: FIELD_INVALID …
    """
    message = NotificationList(
        name=_list_name(notification_list),
        display_name=display_name,
        destinations=destinations,
        environments=environments,
    )
    request = _lists.UpdateNotificationListRequest(
        notification_list=message, update_mask=FieldMask(paths=["*"]), allow_missing=True
    )
    return unary(_UPDATE_LIST, request)


def get_notification_list(notification_list: str) -> Call[NotificationList]:
    """Reads a notification list. ClientError: NOTIFICATION_LIST_NOT_FOUND."""
    return unary(_GET_LIST, _lists.GetNotificationListRequest(name=_list_name(notification_list)))


def notification_lists(*, page_size: int = 1000) -> Pages[NotificationList]:
    """Iterates over the project's notification lists, by key."""
    request = _lists.ListNotificationListsRequest(parent=PROJECT, page_size=page_size)
    return pages(_LIST_LISTS, request, lambda answer: answer.notification_lists)


def delete_notification_list(notification_list: str, *, allow_missing: bool = False) -> Call[Empty]:
    """Deletes a notification list; not the one named "default".

    ClientError: NOTIFICATION_LIST_REQUIRED …
    """
    name = _list_name(notification_list)
    request = _lists.DeleteNotificationListRequest(name=name, allow_missing=allow_missing)
    return unary(_DELETE_LIST, request, repeatable=allow_missing)


def put_channel(channel: str, url: str, *, display_name: str = "") -> Call[Channel]:
    """Makes or replaces a webhook, which the destination "webhook:<channel>" then stands for."""
    message = Channel(name=_channel_name(channel), display_name=display_name, kind=Channel.KIND_WEBHOOK, url=url)
    request = _channels.UpdateChannelRequest(channel=message, update_mask=FieldMask(paths=["*"]), allow_missing=True)
    return unary(_UPDATE_CHANNEL, request)


def get_channel(channel: str) -> Call[Channel]:
    """Reads a channel. ClientError: CHANNEL_NOT_FOUND."""
    return unary(_GET_CHANNEL, _channels.GetChannelRequest(name=_channel_name(channel)))


def channels(*, page_size: int = 1000) -> Pages[Channel]:
    """Iterates over the project's channels, by key."""
    request = _channels.ListChannelsRequest(parent=PROJECT, page_size=page_size)
    return pages(_LIST_CHANNELS, request, lambda answer: answer.channels)


def delete_channel(channel: str, *, allow_missing: bool = False) -> Call[Empty]:
    """Deletes a channel: what still waits for it cannot be delivered any more."""
    request = _channels.DeleteChannelRequest(name=_channel_name(channel), allow_missing=allow_missing)
    return unary(_DELETE_CHANNEL, request, repeatable=allow_missing)


def notices(*, monitor: str = "", states: Sequence[str] = (), page_size: int = 1000) -> Pages[Notice]:
    """Iterates over what was told, newest first: `notices(states=["dead"])`. ClientError: MONITOR_NOT_FOUND."""
    request = _notices.ListNoticesRequest(
        parent=PROJECT,
        page_size=page_size,
        monitor=monitor_name(monitor) if monitor else "",
        states=[f"STATE_{state.upper()}" for state in states],
    )
    return pages(_LIST_NOTICES, request, lambda answer: answer.notices)


def retry_notices(*names: str) -> Call[int]:
    """Tries again what was given up: these, or all of the project. Returns how many are."""
    request = _notices.RetryNoticesRequest(parent=PROJECT, names=names)
    return Call(_RETRY, lambda: request, lambda answer: int(answer.retried_count))


def _list_name(key: str) -> str:
    return key if key.startswith("projects/") else f"{PROJECT}/notificationLists/{key}"


def _channel_name(key: str) -> str:
    return key if key.startswith("projects/") else f"{PROJECT}/channels/{key}"
