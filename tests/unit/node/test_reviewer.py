"""A review goes over all slices, says whose monitor is concerned, and waits when the queue or the store cannot."""

import asyncio

import structlog

from support.stores import NOW, incident, monitor, track
from support.virtual import VirtualClock, run
from tocsin.domain.commands import ReviewTracks
from tocsin.domain.errors import Unavailable
from tocsin.domain.facts import EnvironmentDeleted
from tocsin.domain.receipt import Receipt, Reviewed
from tocsin.node.reviewer import EVERY_S, Reviewer
from tocsin.store.port import MonitorWithHealth


class Journal:
    """Three slices, the second with something to tell; may refuse first."""

    def __init__(self, failures=0):
        self.failures, self.asked = failures, []

    async def append(self, at, command):
        assert isinstance(command, ReviewTracks)
        self.asked.append((at, command.first))
        if self.failures:
            self.failures -= 1
            raise Unavailable("full", reason="QUEUE_FULL")
        one = incident(7, track(1, 1), monitor_id="")
        told = {
            "broken": (one,),
            "muted": (one,),
            "deleted": (EnvironmentDeleted(1, 9, "old", idle=True), EnvironmentDeleted(1, 9, "sick", True, 8)),
        }
        following = {0: 5, 5: 10, 10: 0}[command.first]
        return Receipt(reviewed=Reviewed(following, **(told if command.first == 5 else {})))


class Store:
    def get_monitor_by_number(self, _project, number):
        return MonitorWithHealth(monitor(1, owner="team:ops"), [], {}) if number == 1 else None


def test_all_slices_are_asked_for_and_what_they_found_is_logged_with_its_owner():
    journal = Journal()

    async def main(loop):
        with structlog.testing.capture_logs() as logs:
            await Reviewer(journal, Store(), VirtualClock(loop, NOW)).review()
        return logs

    logs = run(main)
    assert [first for _, first in journal.asked] == [0, 5, 10]
    broken, muted, deleted, sick = logs
    for line in (broken, muted):
        assert (line["log_level"], line["monitor"], line["owner"], line["environment"], line["incident"]) == (
            "warning",
            "m-1",
            "team:ops",
            "production",
            7,
        )
    assert (deleted["log_level"], deleted["environment"]) == ("info", "old")
    assert (sick["log_level"], sick["environment"]) == ("warning", "sick")


def test_it_begins_at_once_comes_again_every_hour_and_waits_for_a_queue_that_is_full():
    journal = Journal(failures=1)

    async def main(loop):
        with structlog.testing.capture_logs() as logs:
            task = asyncio.create_task(Reviewer(journal, Store(), VirtualClock(loop, NOW)).run())
            await asyncio.sleep(2 * EVERY_S + 10)
            task.cancel()
        return logs

    logs = run(main)
    assert logs[0]["event"] == "the review waits"
    hours = [(at - NOW) // 3_600_000 for at, first in journal.asked if first == 0]
    assert hours == [0, 1, 2]
