"""Notification among the server's parts: its services, its dispatcher and what they are made of."""

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import closing

from tocsin import __version__
from tocsin.api.channels import ChannelHandlers
from tocsin.api.notices import NoticeHandlers
from tocsin.api.notification_lists import NotificationListHandlers
from tocsin.app.settings import Settings
from tocsin.dialects.cronitor import names as cronitor
from tocsin.domain.instant import SECOND, Clock, Instant
from tocsin.domain.monitor import Escalation
from tocsin.domain.notice import Notice, NoticeState
from tocsin.node.delivering import Delivering, Delivery
from tocsin.node.dispatcher import Dispatcher
from tocsin.node.drafting import Surroundings
from tocsin.node.partition import Partition
from tocsin.node.planning import Planning
from tocsin.node.sending import Sender
from tocsin.notify import routing
from tocsin.notify.webhook import Pace
from tocsin.outgoing import Client, Guard, Limits
from tocsin.outgoing.guard import networks
from tocsin.service.notices import Notices
from tocsin.service.notification import Channels, NotificationLists
from tocsin.service.subscriptions import Subscriptions
from tocsin.store import SqlStore
from tocsin.store.notice_searches import SqlNoticeSearches
from tocsin.store.notification import SqlNotification
from tocsin.store.outbox import SqlOutbox
from tocsin.store.subscriptions import SqlSubscriptions
from tocsin.store.tellable import SqlTellable
from tocsin.store.variables import SqlTexts
from tocsin.telemetry.metrics import Metrics


class Notifying:
    """The dispatcher with all it needs, and the services of its nouns."""

    def __init__(self, settings: Settings, store: SqlStore, clock: Clock, metrics: Metrics) -> None:
        self._settings, self._clock, self._metrics = settings, clock, metrics
        self._partition: Partition | None = None
        self.outbox = SqlOutbox(store.database)
        self._tellable, self._texts = SqlTellable(store.database), SqlTexts(store.database)
        around = Surroundings(
            self._silenced,
            cronitor.key_in,
            cronitor.schedule_in,
            self._planned,
            self._project_escalation,
            described,
        )
        planning = Planning(self.outbox, self._tellable, clock, around)
        self.dispatcher = Dispatcher(self.outbox, planning, clock)
        nouns = SqlNotification(store.database)
        self.lists, self.channels = NotificationLists(nouns, self._heard), Channels(nouns)
        self.subscriptions = Subscriptions(SqlSubscriptions(store.database), self.dispatcher.heard)
        self.notices = Notices(self.outbox, SqlNoticeSearches(store.database), store, self.dispatcher.wake)

    def _heard(self, project: int) -> None:
        self.dispatcher.heard((), (), [project])

    def services(self) -> dict[str, object]:
        """By the full name of the service."""
        return {
            "tocsin.v1.NotificationListService": NotificationListHandlers(self.lists),
            "tocsin.v1.ChannelService": ChannelHandlers(self.channels),
            "tocsin.v1.NoticeService": NoticeHandlers(self.notices),
        }

    def ask(self, partition: Partition) -> None:
        """Whose engine knows of maintenance windows."""
        self._partition = partition

    async def run(self, public_url: str) -> None:
        """Until it is cancelled. `public_url` is how people reach this server."""
        notify = self._settings.notify
        guard = Guard(networks(self._settings.outgoing.allowed_networks))
        delivery = Delivery(
            retries=notify.retries,
            backoff_ms=round(notify.backoff_seconds * SECOND),
            backoff_max_ms=round(notify.backoff_max_seconds * SECOND),
            group_from=notify.group_from,
            concurrency=notify.concurrency,
        )
        async with Client(guard, f"tocsin/{__version__}", Limits(timeout_s=notify.timeout_seconds)) as client:
            pace = Pace(notify.form_retries, round(notify.form_retry_seconds * SECOND))
            made = Sender(client, self._tellable, self._texts, self._clock, public_url, pace)
            wake = self.dispatcher.wake
            with closing(made) as sender:
                self.dispatcher.deliver(
                    Delivering(self.outbox, sender, self._clock, delivery, _Counts(self._metrics), wake)
                )
                await self.dispatcher.run()

    def _silenced(self, project: int, monitor: int, environment: str, at: Instant, tags: Collection[str]) -> bool:
        if self._partition is None:
            return False
        state = self._partition.engine.state
        return bool(state.windows) and state.windows.silences(state.compiler, project, monitor, environment, at, tags)

    def _project_escalation(self, project: int) -> Escalation | None:
        return None if self._partition is None else self._partition.engine.state.settings_of(project).escalation

    def _planned(self, notices: Collection[Notice]) -> None:
        kinds = Counter(
            routing.kind_of(notice.destination) for notice in notices if notice.state is NoticeState.UNSUPPORTED
        )
        for kind, count in kinds.items():
            self._metrics.notifications_unsupported.labels(kind).inc(count)


def described(extras: Mapping[str, object]) -> str:
    """What a check's owner wrote about it; "": nothing."""
    kept = extras.get("checkly")
    text = kept.get("description") if isinstance(kept, Mapping) else None
    return text if isinstance(text, str) else ""


class _Counts:
    """What comes of delivering, as metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def sent(self, kind: str, count: int) -> None:
        self._metrics.notifications.labels(kind).inc(count)

    def failed(self, kind: str, count: int, *, dead: bool) -> None:
        self._metrics.notification_errors.labels(kind).inc(count)
        if dead:
            self._metrics.notifications_dead.labels(kind).inc(count)

    def waiting(self, count: int) -> None:
        self._metrics.notifications_waiting.set(count)
