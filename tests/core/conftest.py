"""What the core's tests share: compiled zones, and schedules by their text."""

import pytest

from tocsin.app.tzdata import read_zone, zone_names
from tocsin.schedule import Compiler, Zones


@pytest.fixture(scope="session")
def compiler():
    return Compiler(Zones(read_zone, zone_names))


@pytest.fixture(scope="session")
def zone(compiler):
    return compiler.zones.get
