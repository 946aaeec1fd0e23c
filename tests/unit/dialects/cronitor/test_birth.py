"""A monitor that telemetry makes is the one that the Monitor API would make of its key and type."""

import pytest

from tocsin.dialects.cronitor.birth import newborn
from tocsin.dialects.cronitor.mapping import auto_created
from tocsin.dialects.cronitor.names import monitor_id_of
from tocsin.domain.monitor import Kind


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("key", ["job", "Two Words", "日本", "-", "UPPER"])
def test_it_is_the_monitor_of_the_monitor_api(key, kind):
    made = newborn(key, monitor_id_of(key), kind)
    assert made == auto_created(key, kind.value)
    assert not made.by_hand, "an event locks nothing"
    assert made.policy["abandon_runs"]
    assert made.policy["separate_causes"]
