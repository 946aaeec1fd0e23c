"""What the handlers call: the use cases."""

from dataclasses import dataclass

from tocsin.dialects.cronitor.resources.finding import Finding
from tocsin.service.browsing import Browsing
from tocsin.service.incidents import Incidents
from tocsin.service.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Services:
    finding: Finding
    browsing: Browsing
    incidents: Incidents
    statistics: Statistics
