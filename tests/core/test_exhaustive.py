"""A seeded slice of `make oracle`: other zones, places and expressions on each run; a failure names its seed."""

import os
import random

from oracle import calendar_walk, cases, phases, zones
from oracle.judging import Judge, Tally
from support.oracle import corpus

SEED = int(os.environ.get("TOCSIN_ORACLE_SEED", random.SystemRandom().randrange(1_000_000)))
AGAIN = f"TOCSIN_ORACLE_SEED={SEED} repeats this"


def agreed(tally: Tally) -> None:
    shown = "\n".join(str(difference) for difference in tally.shown[:5])
    assert tally.differences == 0, f"{tally.differences} differences; {AGAIN}\n{shown}"
    assert tally.questions > 0


def test_every_name_of_the_package_loads():
    registry = zones.zones()
    for name in corpus.names():
        assert registry.get(name) is not None
    assert len(corpus.names()) > 590


def test_beside_transitions():
    agreed(phases.a_slice(SEED, zones=30, places=3))


def test_zones_against_zoneinfo():
    for name in random.Random(SEED).sample(corpus.distinct(), 6):
        agreed(zones.judge(name, 1960, 2060))


def test_seconds_and_old_offsets():
    # Amsterdam kept 20 minutes, Monrovia 44 and a half.
    # A zone that never changed (Etc/GMT+5) has no transition to ask about.
    shuffled = random.Random(SEED).sample(corpus.distinct(), len(corpus.distinct()))
    changing = next(name for name in shuffled if Judge(name, SEED, phases.SECONDS_FROM).transitions)
    for name in ("Africa/Monrovia", changing):
        agreed(phases.by_second(name, SEED, places=3))


def test_the_calendar_of_some_years():
    rng = random.Random(SEED)
    for days in rng.sample(calendar_walk.DAYS, 4):
        first = rng.randrange(1, calendar_walk.LAST - 20 * 365)
        agreed(calendar_walk.judge(days, rng, first, first + 20 * 365))


class Wrong(Judge):
    """Compiles every expression for another policy."""

    def number(self, text: str, policy: str) -> int | None:
        return super().number(text, "skip" if policy != "skip" else "both")


def test_the_judge_sees_what_is_wrong():
    judge = Wrong("Europe/Vienna", SEED, 2024, (2023, 2027))
    second = judge.transitions[0][0]
    window = judge.window(0)
    judge.from_others(0, window)
    directed = judge.tally.differences
    judge.around(0, cases.broad(cases.Place(judge.zone, second), judge.rng), window)
    assert judge.tally.differences > directed > 0
    repeated = str(judge.tally.shown[0])
    assert "Europe/Vienna" in repeated
    assert "oracle again" in repeated
