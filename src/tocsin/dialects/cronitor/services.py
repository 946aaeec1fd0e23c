"""What the handlers call: the use cases, and the check of a configuration before it is written."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tocsin.dialects.cronitor.call import Call
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.project_settings import ProjectSettings
from tocsin.service.browsing import Browsing
from tocsin.service.monitors import Monitors
from tocsin.service.principal import Principal

Post = Callable[[str, dict[str, Any]], Awaitable[None]]  # a URL, and the JSON that goes there


class Shared(Protocol):
    """What monitors name: groups, which are made when they are named, and notification lists, which are not."""

    async def ensure_groups(
        self, principal: Principal, keys: Collection[str], received: Instant, *, validate_only: bool
    ) -> None:
        """Makes those that are not there, all or none; `validate_only`: asks whether there is room for them."""

    async def group_names(self, principal: Principal) -> Mapping[str, str]:
        """By key."""

    async def lists(self, principal: Principal) -> Collection[str]:
        """Keys of all notification lists of the project."""


@dataclass(frozen=True, slots=True)
class Services:
    monitors: Monitors
    browsing: Browsing
    check: Callable[[MonitorChange, str], None]  # InvalidArgument below the field that is named
    check_zone: Callable[[str, str], None]  # InvalidArgument for a zone that is none
    settings_of: Callable[[int], ProjectSettings]  # of a project by its number, with the server's below them
    shared: Shared
    post: Post  # tells somebody outside; never raises

    def zone(self, call: Call) -> str:
        """The project's time zone."""
        return self.settings_of(call.principal.project.number).time_zone or "UTC"
