"""What a heartbeat check expects next, by all that starts its timer and all that must not, over the doors of a server."""

import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.checkly import HEARTBEAT, Checkly
from support.server import Server

HOUR, TEN_MINUTES = 3_600, 600


class Timer:
    """A check, and its timer as the server's own API has it. Times in seconds."""

    def __init__(self, server: Server, **fields: Any) -> None:
        self.server, self.checkly = server, Checkly(server)
        self.check = self.checkly.create(**fields)

    def ping(self) -> None:
        path = urlsplit(self.check["heartbeat"]["pingUrl"]).path
        assert self.server.request("GET", path, None, key="")[0] == 200

    def put(self, **fields: Any) -> None:
        self.check = self.checkly.ask("PUT", f"/v1/checks/heartbeat/{self.check['id']}", fields)

    def status(self) -> dict[str, Any]:
        uid = self.check["id"].replace("-", "")
        monitors = self.server.get("/v1/projects/-/monitors?pageSize=1000")["monitors"]
        (found,) = [one for one in monitors if one["uid"] == uid]
        (environment,) = found["environments"]
        return dict(environment)

    def expected(self) -> float | None:
        return seconds(self.status().get("expectedTime"))

    def grace(self) -> float:
        status = self.status()
        expected, deadline = seconds(status["expectedTime"]), seconds(status["deadlineTime"])
        assert expected is not None
        assert deadline is not None
        return deadline - expected


def seconds(text: str | None) -> float | None:
    return None if text is None else datetime.datetime.fromisoformat(text).timestamp()


def now() -> float:
    return datetime.datetime.now(datetime.UTC).timestamp()


@pytest.fixture
def timer(server: Server) -> Timer:
    return Timer(server)


def test_nothing_is_expected_before_the_first_ping(timer: Timer) -> None:
    assert timer.expected() is None
    timer.put(heartbeat={**HEARTBEAT, "period": 2})
    assert timer.expected() is None


def test_each_ping_starts_it(timer: Timer) -> None:
    timer.ping()
    first = timer.expected()
    assert first is not None
    assert abs(first - now() - HOUR) < 60
    assert TEN_MINUTES <= timer.grace() < TEN_MINUTES + 1  # deadlines are whole seconds
    timer.ping()
    assert (timer.expected() or 0) >= first


def test_the_same_again_and_other_words_leave_it(timer: Timer) -> None:
    timer.ping()
    before = timer.expected()
    timer.put(name="job", activated=True, tags=[], heartbeat=HEARTBEAT)
    timer.put(name="another", tags=["a", "b:c"], muted=True, description="what it does")
    timer.put(alertSettings={"escalationType": "TIME_BASED", "timeBasedEscalation": {"minutesFailingThreshold": 10}})
    timer.put(heartbeat={"period": 60, "periodUnit": "minutes", "grace": 600, "graceUnit": "seconds"})
    assert timer.expected() == before


def test_another_period_starts_it(timer: Timer) -> None:
    timer.ping()
    timer.put(heartbeat={**HEARTBEAT, "period": 3})
    expected = timer.expected()
    assert expected is not None
    assert abs(expected - now() - 3 * HOUR) < 60


def test_another_grace_moves_only_the_deadline(timer: Timer) -> None:
    timer.ping()
    before = timer.expected()
    timer.put(heartbeat={**HEARTBEAT, "grace": 30})
    assert timer.expected() == before
    assert 3 * TEN_MINUTES <= timer.grace() < 3 * TEN_MINUTES + 1


@pytest.mark.parametrize("pinged", [False, True])
def test_switched_off_it_is_disarmed_and_switched_on_it_starts(timer: Timer, *, pinged: bool) -> None:
    if pinged:
        timer.ping()
    timer.put(activated=False)
    assert timer.expected() is None
    timer.put(activated=True)
    expected = timer.expected()
    assert expected is not None
    assert abs(expected - now() - HOUR) < 60


def test_one_that_is_made_switched_off_starts_when_it_is_switched_on(server: Server) -> None:
    timer = Timer(server, activated=False)
    timer.ping()
    assert timer.expected() is None
    timer.put(activated=True)
    assert timer.expected() is not None
