"""What the handlers call: the use cases."""

from dataclasses import dataclass

from tocsin.service.browsing import Browsing
from tocsin.service.incidents import Incidents
from tocsin.service.maintenance_windows import MaintenanceWindows
from tocsin.service.monitors import Monitors
from tocsin.service.notification import NotificationLists
from tocsin.service.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Services:
    browsing: Browsing
    monitors: Monitors
    incidents: Incidents
    statistics: Statistics
    lists: NotificationLists
    windows: MaintenanceWindows
