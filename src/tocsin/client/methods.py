"""The client's methods, once: each is a function that makes a call, bound to whoever sends it, now or awaited."""

import functools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

from tocsin.client import (
    environment_calls,
    group_calls,
    incident_calls,
    maintenance_calls,
    monitor_calls,
    notification_calls,
    report_calls,
    settings_calls,
)
from tocsin.client.calls import Call, Pages, Stream
from tocsin.client.retry import Retry

P = ParamSpec("P")
R = TypeVar("R")


class SyncSender(ABC):
    """Sends calls and waits for the answer."""

    @abstractmethod
    def send(self, call: Call[R], retry: Retry | None = None) -> R: ...

    @abstractmethod
    def stream(self, stream: Stream[R]) -> Iterator[R]: ...

    def pages(self, pages: Pages[R]) -> Iterator[R]:
        """Page after page, each asked for when the one before is used up."""
        token = ""
        while True:
            items, token = self.send(pages.call(token))
            yield from items
            if not token:
                return


class AsyncSender(ABC):
    """Sends calls and awaits the answer."""

    @abstractmethod
    async def send(self, call: Call[R], retry: Retry | None = None) -> R: ...

    @abstractmethod
    def stream(self, stream: Stream[R]) -> AsyncIterator[R]: ...

    async def pages(self, pages: Pages[R]) -> AsyncIterator[R]:
        """Page after page, each asked for when the one before is used up."""
        token = ""
        while True:
            items, token = await self.send(pages.call(token))
            for item in items:
                yield item
            if not token:
                return


class _Bound(Generic[P]):
    """A descriptor that makes a method of `make`: its arguments, its documentation."""

    def __init__(self, make: Callable[P, Any]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def _bind(self, send: Callable[[Any], Any]) -> Any:
        make = self._make

        @functools.wraps(make)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return send(make(*args, **kwargs))

        return method


class Unary(_Bound[P], Generic[P, R]):
    """One request, one answer."""

    def __init__(self, make: Callable[P, Call[R]]) -> None:
        super().__init__(make)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: SyncSender, owner: type) -> Callable[P, R]: ...
    @overload
    def __get__(self, instance: AsyncSender, owner: type) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __get__(self, instance: SyncSender | AsyncSender | None, owner: type) -> Any:
        return self if instance is None else self._bind(instance.send)


class Listed(_Bound[P], Generic[P, R]):
    """One request, an iterator over many pages."""

    def __init__(self, make: Callable[P, Pages[R]]) -> None:
        super().__init__(make)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: SyncSender, owner: type) -> Callable[P, Iterator[R]]: ...
    @overload
    def __get__(self, instance: AsyncSender, owner: type) -> Callable[P, AsyncIterator[R]]: ...
    def __get__(self, instance: SyncSender | AsyncSender | None, owner: type) -> Any:
        return self if instance is None else self._bind(instance.pages)


class Streamed(_Bound[P], Generic[P, R]):
    """One request, an iterator without end."""

    def __init__(self, make: Callable[P, Stream[R]]) -> None:
        super().__init__(make)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: SyncSender, owner: type) -> Callable[P, Iterator[R]]: ...
    @overload
    def __get__(self, instance: AsyncSender, owner: type) -> Callable[P, AsyncIterator[R]]: ...
    def __get__(self, instance: SyncSender | AsyncSender | None, owner: type) -> Any:
        return self if instance is None else self._bind(instance.stream)


class Methods:
    """What a client can do. On AsyncClient each method is awaited, or iterated over with `async for`."""

    check_in = Unary(report_calls.check_in)
    start = Unary(report_calls.start)
    ok = Unary(report_calls.ok)
    error = Unary(report_calls.error)
    heartbeat = Unary(report_calls.heartbeat)
    get_check_in = Unary(report_calls.get_check_in)
    check_ins = Listed(report_calls.check_ins)
    refusals = Listed(report_calls.refusals)

    put_monitor = Unary(monitor_calls.put_monitor)
    put_monitors = Unary(monitor_calls.put_monitors)
    get_monitor = Unary(monitor_calls.get_monitor)
    monitors = Listed(monitor_calls.monitors)
    delete_monitor = Unary(monitor_calls.delete_monitor)
    pause = Unary(monitor_calls.pause)
    resume = Unary(monitor_calls.resume)
    mute = Unary(monitor_calls.mute)
    unmute = Unary(monitor_calls.unmute)
    mute_environment = Unary(monitor_calls.mute_environment)
    unmute_environment = Unary(monitor_calls.unmute_environment)
    delete_environment = Unary(monitor_calls.delete_environment)
    preview = Unary(monitor_calls.preview)
    watch = Streamed(monitor_calls.watch)

    incidents = Listed(incident_calls.incidents)
    get_incident = Unary(incident_calls.get_incident)
    acknowledge = Unary(incident_calls.acknowledge)
    resolve = Unary(incident_calls.resolve)
    outages = Listed(incident_calls.outages)

    project_settings = Unary(settings_calls.project_settings)
    put_project_settings = Unary(settings_calls.put_project_settings)

    put_maintenance_window = Unary(maintenance_calls.put_maintenance_window)
    get_maintenance_window = Unary(maintenance_calls.get_maintenance_window)
    maintenance_windows = Listed(maintenance_calls.maintenance_windows)
    delete_maintenance_window = Unary(maintenance_calls.delete_maintenance_window)
    put_notification_list = Unary(notification_calls.put_notification_list)
    get_notification_list = Unary(notification_calls.get_notification_list)
    notification_lists = Listed(notification_calls.notification_lists)
    delete_notification_list = Unary(notification_calls.delete_notification_list)
    put_channel = Unary(notification_calls.put_channel)
    get_channel = Unary(notification_calls.get_channel)
    channels = Listed(notification_calls.channels)
    delete_channel = Unary(notification_calls.delete_channel)
    notices = Listed(notification_calls.notices)
    retry_notices = Unary(notification_calls.retry_notices)

    put_group = Unary(group_calls.put_group)
    get_group = Unary(group_calls.get_group)
    groups = Listed(group_calls.groups)
    set_group_monitors = Unary(group_calls.set_group_monitors)
    mute_group = Unary(group_calls.mute_group)
    unmute_group = Unary(group_calls.unmute_group)
    delete_group = Unary(group_calls.delete_group)

    put_project_environment = Unary(environment_calls.put_project_environment)
    get_project_environment = Unary(environment_calls.get_project_environment)
    project_environments = Listed(environment_calls.project_environments)
    delete_project_environment = Unary(environment_calls.delete_project_environment)
