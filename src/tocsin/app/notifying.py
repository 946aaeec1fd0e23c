"""Notification among the server's parts: its services, its dispatcher and what they are made of."""

from tocsin.api.channels import ChannelHandlers
from tocsin.api.notification_lists import NotificationListHandlers
from tocsin.service.notification import Channels, NotificationLists
from tocsin.store import SqlStore
from tocsin.store.notification import SqlNotification


def services(store: SqlStore) -> dict[str, object]:
    """By the full name of the service."""
    nouns = SqlNotification(store.database)
    return {
        "tocsin.v1.NotificationListService": NotificationListHandlers(NotificationLists(nouns)),
        "tocsin.v1.ChannelService": ChannelHandlers(Channels(nouns)),
    }
