"""The parts of an engine that kernels work on, with one monitor and one track in them."""

from array import array

from tocsin._core import misses
from tocsin._core.apply import Applier
from tocsin._core.batch import KINDS, Batch
from tocsin._core.cron_text import parse
from tocsin._core.deadlines import DeadlineHeap
from tocsin._core.keys import KeyTable
from tocsin._core.opened import Opened
from tocsin._core.plans import Plans
from tocsin._core.recorded import Recorded
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.timetable import Timetables
from tocsin._core.zone import Zone
from tocsin.domain import ids
from tocsin.domain.track import Health, Verdict
from tocsin.engine import rules

PROJECT, NUMBER, TRACK, NAME = 7, 41, 42, "job"


class Parts:
    def __init__(self, minutes=5, margin=0, early=-1):
        self.monitors, self.tracks, self.plans = MonitorRoster(), TrackRoster(), Plans()
        self.heap, self.timetables = DeadlineHeap(), Timetables()
        self.keys = [KeyTable(bytes(16)) for _ in range(3)]
        self.recorded, self.opened = Recorded(), Opened()
        zone = self.timetables.add_zone(Zone(array("q"), array("i", [0])))
        every = self.timetables.add_cron(zone, parse(f"*/{minutes} * * * *"))
        self.plans.put(1, every, margin, early, failures=2, grid=True)
        monitor, track = self.monitors.open(), self.tracks.open()
        for column, value in {"number": NUMBER, "project": PROJECT, "policy": 1, "first_track": track}.items():
            self.monitors.set(monitor, column, value)
        known = {"number": TRACK, "monitor": monitor, "environment": 1, "health": Health.HEALTHY, "verdict": Verdict.OK}
        for column, value in known.items():
            self.tracks.set(track, column, value)
        self.keys[0].put(ids.monitor_key(PROJECT, NAME), monitor)
        self.keys[2].put(b"", 1)
        self.kernel = Applier(self.monitors, self.tracks, *self.keys, self.plans, self.heap, rules.plain())

    def apply(self, at, batch=None, first=0, **others):
        """The number of reports that were plain."""
        if batch is None:
            batch = Batch()
            batch.append(NAME, KINDS.index("OK"))
        arguments = {"environment": b"", "limit": 0, "number": 0, "recorded": self.recorded} | others
        return self.kernel.step(batch, first, PROJECT, at, self.timetables, **arguments)[0]

    def judge(self, until, due=(0,), first=0, **others):
        """The number of misses that were plain."""
        arguments = {"number": 0, "incident": 0, "table": rules.misses(), "recorded": self.recorded} | others
        due = array("I", due)
        return misses.step(self.kernel, due, first, until, self.timetables, opened=self.opened, **arguments)[0]
