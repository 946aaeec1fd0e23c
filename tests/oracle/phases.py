"""What is judged: each phase is a function of a subject (a zone, or a kind of day) and a seed.

The directed phase comes first. It starts beside one transition and matches only beside another: a random generator
that stayed near one transition once missed a wrong offset three segments further on.
"""

import random

from oracle import calendar_walk, cases
from oracle import zones as zone_judge
from oracle.judging import Judge, Tally
from support.oracle import corpus

HOUR = 3600
SECONDS_FROM = 1850  # windows read every second: the old offsets that are not whole minutes too


def beside(name: str, seed: int) -> dict[str, Tally]:
    """Beside every transition: from the others to it, then all fields around it."""
    judge = Judge(name, seed)
    found = {"directed": Tally(), "all fields": Tally()}
    for i, (second, _, _) in enumerate(judge.transitions):
        window = judge.window(i)
        judge.tally = found["directed"]
        judge.from_others(i, window)
        judge.tally = found["all fields"]
        judge.around(i, cases.broad(cases.Place(judge.zone, second), judge.rng), window)
    return found


def a_slice(seed: int, zones: int, places: int) -> Tally:
    """A few places of some zones, each in some twelve years: what the ordinary tests can afford."""
    rng, total = random.Random(seed), Tally()
    for name in rng.sample(corpus.distinct(), zones) + list(cases.KNOWN_TO_HURT):
        year = rng.randrange(1970, 2040)
        judge = Judge(name, seed, year, (year, year + 12))
        for i in sorted(rng.sample(range(len(judge.transitions)), min(places, len(judge.transitions)))):
            window = judge.window(i)
            judge.from_others(i, window)
            judge.around(i, cases.broad(cases.Place(judge.zone, judge.transitions[i][0]), judge.rng), window)
        total.add(judge.tally)
    return total


def by_second(name: str, seed: int, places: int | None = None) -> Tally:
    """Six fields, and all old transitions: one of each shape, read every second."""
    judge = Judge(name, seed, SECONDS_FROM)
    seen = set()
    for i, (second, before, after) in enumerate(judge.transitions[:places]):
        shape = (before, after, (second + before) % 86400)
        if shape in seen:
            continue
        seen.add(shape)
        place = cases.Place(judge.zone, second)
        texts = [*cases.in_seconds(place), *judge.rng.sample(list(cases.broad(place, judge.rng)), 6)]
        judge.around(i, texts, judge.window(i, HOUR + min(abs(after - before), 2 * HOUR), step=1))
    return judge.tally


def a_zone(name: str, seed: int) -> dict[str, Tally]:
    """All that is judged of a zone, by phase."""
    found = beside(name, seed)
    return found | {"seconds": by_second(name, seed), "offsets": zone_judge.judge(name)}


def a_calendar(days: str, seed: int) -> dict[str, Tally]:
    """One kind of day from year 1 to 9999, without a zone."""
    return {"calendar": calendar_walk.judge(days, random.Random(f"{seed} {days}"))}


def run(task: tuple[str, str, int]) -> tuple[str, dict[str, Tally]]:
    kind, subject, seed = task
    return subject, (a_zone if kind == "zone" else a_calendar)(subject, seed)
