"""What the handlers call: the use cases, one field for each."""

from collections.abc import Callable
from dataclasses import dataclass

from tocsin.dialects.checkly.resources.bindings import Bindings
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.project_settings import ProjectSettings
from tocsin.service.browsing import Browsing
from tocsin.service.check_ins import CheckIns
from tocsin.service.groups import Groups
from tocsin.service.history import History
from tocsin.service.incidents import Incidents
from tocsin.service.maintenance_windows import MaintenanceWindows
from tocsin.service.monitors import Monitors
from tocsin.service.notification import Channels
from tocsin.service.statistics import Statistics
from tocsin.service.subscriptions import Subscriptions


@dataclass(frozen=True, slots=True)
class Services:
    monitors: Monitors
    browsing: Browsing
    check: Callable[[MonitorChange, str], None]  # InvalidArgument below the field that is named
    settings_of: Callable[[int], ProjectSettings]  # of a project by its number, with the server's below them
    groups: Groups
    channels: Channels
    subscriptions: Subscriptions
    windows: MaintenanceWindows
    incidents: Incidents
    check_ins: CheckIns
    statistics: Statistics
    bindings: Bindings
    history: History
