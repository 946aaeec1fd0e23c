"""What the handlers call: the use cases, and the check of a configuration before it is written."""

from collections.abc import Callable
from dataclasses import dataclass

from tocsin.dialects.sentry.management.call import Call
from tocsin.dialects.sentry.management.config_form import Check, Rules
from tocsin.domain.project_settings import ProjectSettings
from tocsin.service.browsing import Browsing
from tocsin.service.check_ins import CheckIns
from tocsin.service.monitors import Monitors
from tocsin.store.port import MonitorWithHealth


@dataclass(frozen=True, slots=True)
class Services:
    monitors: Monitors
    check_ins: CheckIns
    browsing: Browsing
    check: Check
    settings_of: Callable[[int], ProjectSettings]  # of a project by its number, with the server's below them

    def rules(self, call: Call) -> Rules:
        return Rules(self.check, self.settings_of(call.principal.project.number))

    async def named(self, call: Call) -> MonitorWithHealth:
        """The monitor of the path: a UUID, dashed or not, or a slug. NotFound."""
        return await self.browsing.find(call.principal, call.part("monitor"))
