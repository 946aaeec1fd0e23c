"""What the handlers call: the use cases, and the check of a configuration before it is written."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tocsin.dialects.cronitor.call import Call
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.project_settings import ProjectSettings
from tocsin.service.browsing import Browsing
from tocsin.service.monitors import Monitors

Post = Callable[[str, dict[str, Any]], Awaitable[None]]  # a URL, and the JSON that goes there


@dataclass(frozen=True, slots=True)
class Services:
    monitors: Monitors
    browsing: Browsing
    check: Callable[[MonitorChange, str], None]  # InvalidArgument below the field that is named
    check_zone: Callable[[str, str], None]  # InvalidArgument for a zone that is none
    settings_of: Callable[[int], ProjectSettings]  # of a project by its number, with the server's below them
    post: Post  # tells somebody outside; never raises

    def zone(self, call: Call) -> str:
        """The project's time zone."""
        return self.settings_of(call.principal.project.number).time_zone or "UTC"
