"""Who reads sees the tracks that are not written yet, and of the others what the store has."""

from support.engines import T0, World
from tocsin._core.batch import KINDS, Batch
from tocsin.domain.commands import ReportBatch
from tocsin.engine.engine import EngineSettings
from tocsin.node.overlay import Overlay
from tocsin.store.port import Brief, MonitorWithHealth


class Unwritten(World):
    """Nothing that only moved is ever written."""

    def _take(self) -> None:
        self.kept.keep(self.engine.take())


def world() -> Unwritten:
    made = Unwritten(EngineSettings())
    for name in ("a", "b"):
        made.put(monitor_id=name)
        for environment in ("production", "staging"):
            made.ok("1", monitor_id=name, environment=environment)
    return made


def rows(made: World) -> list[MonitorWithHealth]:
    names = made.kept.environments
    return [
        MonitorWithHealth(
            monitor,
            [(names[track.environment], track) for track in made.kept.tracks.values() if track.monitor == number],
            {},
        )
        for number, (monitor, _) in made.kept.monitors.items()
    ]


def briefs(made: World) -> list[Brief]:
    return [
        Brief(row.monitor.project, row.monitor.id, "", "", "", (), False, None, 0, dict(row.tracks).get("production"))
        for row in rows(made)
    ]


def oks(found: list[MonitorWithHealth]) -> list[list[int]]:
    return [[track.ok_count for _, track in row.tracks] for row in found]


def move(made: World, name: str, environment: str) -> None:
    batch = Batch()
    batch.append(name, KINDS.index("OK"), environment)
    made.step(T0 + 5_000, ReportBatch(1, batch, T0 + 5_000, {}))


def test_what_only_moved_is_shown_as_memory_has_it() -> None:
    made = world()
    found = rows(made)
    Overlay(lambda: made.engine)(found)
    assert oks(found) == [[1, 1], [1, 1]]
    move(made, "b", "production")
    move(made, "a", "staging")
    found = rows(made)
    assert oks(found) == [[1, 1], [1, 1]], "the store has not heard of it"
    Overlay(lambda: made.engine)(found)
    assert oks(found) == [[1, 2], [2, 1]]
    moved = found[1].tracks[0][1]
    assert moved.last_check_in == T0 + 5_000
    assert (moved.monitor, moved.next_track) == (found[1].monitor.number, 0)


def test_what_a_scrape_shows_is_as_memory_has_it() -> None:
    made = world()
    overlay = Overlay(lambda: made.engine)

    def counts() -> list[int]:
        found = briefs(made)
        overlay.briefs(found)
        return [brief.track.ok_count for brief in found if brief.track is not None]

    assert counts() == [1, 1]
    move(made, "b", "production")
    assert counts() == [1, 2]
    found = briefs(made)
    found[1].track = None
    overlay.briefs(found)
    assert found[1].track is None
    made.delete("6", "b")
    found = briefs(made)
    overlay.briefs(found)
    assert [brief.id for brief in found] == ["a"]


def test_what_was_deleted_meanwhile_stays_as_it_was_read() -> None:
    made = world()
    move(made, "a", "production")
    move(made, "b", "production")
    found = rows(made)
    made.delete("6", "a")
    made.put("7", monitor_id="c")
    Overlay(lambda: made.engine)(found)
    assert oks(found) == [[1, 1], [2, 1]]
