"""A compiler on the real zones, as the wiring makes it."""

import pytest

from tocsin.app.tzdata import read_zone, zone_names
from tocsin.schedule import Compiler, Zones


@pytest.fixture
def compiler():
    return Compiler(Zones(read_zone, zone_names))
