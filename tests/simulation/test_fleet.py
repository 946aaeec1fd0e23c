"""Hours of a fleet in seconds, with everything going wrong: nothing lost, nothing doubled, nothing invented."""

from pathlib import Path

import pytest
import structlog

from simulation.fleet import HICCUP, POISON, UNSTORABLE, Action, Fleet, Trouble, live
from support.virtual import VirtualLoop, run

HOUR = 3600.0


def simulate(folder: Path, seed: int, seconds: float, trouble: Trouble, *actions: tuple[float, Action], **marks: float):
    async def main(loop: VirtualLoop):
        fleet = Fleet(loop, folder, seed, trouble)
        fleet.marks = marks
        found = await live(fleet, seconds, actions)
        print(f"seed {seed}: {found}")
        return found

    with structlog.testing.capture_logs() as logs:
        found = run(main)
    assert marks or not [log for log in logs if log["log_level"] == "error"], "the engine broke of itself"
    return found


async def crash(fleet: Fleet) -> None:
    if fleet.node is not None:
        await fleet.die(fleet.chance.choice((0.0, 0.1, 3.0, 60.0, 600.0)))


async def stall(fleet: Fleet) -> None:
    """SIGSTOP, swap, a suspended machine: no timer of the process runs."""
    since = fleet.judged()
    fleet.loop.stall(fleet.chance.uniform(3.0, 90.0))
    fleet.deaf.append((since, fleet.clock.now()))


async def jump_ahead(fleet: Fleet) -> None:
    since = fleet.judged()
    fleet.clock.offset += fleet.chance.choice((3_000, 60_000, 3_600_000))
    fleet.deaf.append((since, fleet.clock.now()))


async def jump_back(fleet: Fleet) -> None:
    fleet.clock.offset -= fleet.chance.choice((200, 5_000, 120_000))


async def flood(fleet: Fleet) -> None:
    await fleet.burst(60)


def test_a_quiet_hour_has_no_outage_and_true_misses(tmp_path):
    found = simulate(tmp_path, 1, HOUR / 2, Trouble())
    assert found["outages"] == found["unknown"] == found["crashes"] == 0
    assert found["missed"] > 10
    assert found["acknowledged"] > 300


@pytest.mark.parametrize("seed", range(2))
def test_crashes_at_any_await(tmp_path, seed):
    found = simulate(tmp_path, seed, HOUR / 2, Trouble(crash=0.02), (200.0, crash))
    assert found["crashes"] > 3
    assert found["unknown"] > 0


@pytest.mark.parametrize("seed", range(2))
def test_a_store_in_trouble_and_a_queue_that_overflows(tmp_path, seed):
    trouble = Trouble(refuse=0.01, spell=(0.1, 12.0))
    found = simulate(tmp_path, seed, HOUR / 3, trouble, (20.0, flood))
    assert found["refused"] > 0


@pytest.mark.parametrize("seed", range(2))
def test_poisoned_reports_do_not_stop_the_line(tmp_path, seed):
    marks = {POISON: 0.05, HICCUP: 0.05, UNSTORABLE: 0.05}
    found = simulate(tmp_path, seed, HOUR / 3, Trouble(refuse=0.002), **marks)
    assert found["set aside"] > 5
    assert found["crashes"] == 0


@pytest.mark.parametrize("seed", range(2))
def test_stalls_and_clocks_that_jump(tmp_path, seed):
    found = simulate(tmp_path, seed, HOUR / 2, Trouble(), (100.0, stall), (200.0, jump_ahead), (200.0, jump_back))
    assert found["outages"] > 5
    assert found["unknown"] > 0


@pytest.mark.parametrize("seed", range(3))
def test_all_of_it_together(tmp_path, seed):
    trouble = Trouble(refuse=0.002, crash=0.002, spell=(0.1, 8.0))
    marks = {POISON: 0.01, HICCUP: 0.01, UNSTORABLE: 0.01}
    actions = [(300.0, crash), (200.0, stall), (900.0, jump_ahead), (900.0, jump_back), (60.0, flood)]
    simulate(tmp_path, 100 + seed, HOUR / 2, trouble, *actions, **marks)
