"""What came in columns is counted as if it had come one by one."""

import random

from prometheus_client import CollectorRegistry, generate_latest

from tocsin._core import tallies
from tocsin._core.recorded import Recorded
from tocsin.domain.check_in import ReportKind
from tocsin.domain.facts import CheckInRecorded
from tocsin.engine.delta import Columns, Delta
from tocsin.telemetry.metrics import Metrics
from tocsin.telemetry.volume import VolumeWatch

NOW = 1_774_000_800_000
MINUTE = 60_000
LENGTHS = [None, 0, 1, 99, 100, 101, 999, 1000, 1001, 5000, 60_000, 86_400_000, 86_400_001, 2**31 - 1]


def recorded(seed: int, rows: int) -> Recorded:
    chance, made, at = random.Random(seed), Recorded(), NOW
    for number in range(rows):
        at += chance.choice((0, 0, 1, 7 * MINUTE))
        made.append(number + 1, 1, 1, 1, at, at, at, chance.choice(LENGTHS), None, 1, 1)
    return made


def both(seed: int) -> tuple[Delta, Delta]:
    columns = Columns(recorded(seed, 200), 7, "grpc", "")
    rows = [columns.check_in(index, ["", "production"]) for index in range(200)]
    return Delta(columns=[columns]), Delta(facts=[CheckInRecorded(row, ReportKind.OK, True) for row in rows])


def test_metrics_are_the_same() -> None:
    answers = []
    for delta in both(5):
        metrics = Metrics(CollectorRegistry(), lambda project: f"p{project}")
        metrics.register_project("p7")
        metrics.observe(delta)
        lines = generate_latest(metrics.registry).decode().splitlines()
        answers.append([line for line in lines if "_created" not in line])
    assert answers[0] == answers[1]
    assert 'tocsin_checkins_total{dialect="grpc",project="p7",status="ok"} 200.0' in answers[0]


def test_volume_is_the_same() -> None:
    watches = [VolumeWatch(NOW - MINUTE), VolumeWatch(NOW - MINUTE)]
    for watch, delta in zip(watches, both(6), strict=True):
        watch.observe(delta)
    assert watches[0]._counts == watches[1]._counts


def test_nothing_of_nothing() -> None:
    assert tallies.minutes(Recorded()) == {}
    assert tallies.durations(Recorded(), memoryview(b"").cast("q")) == ([0], 0)
