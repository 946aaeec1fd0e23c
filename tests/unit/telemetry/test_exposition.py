"""Per-monitor series: which, how they are written, where they are cut. Read back by Prometheus' own parser."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.stores import NOW, monitor, track
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import MINUTE, NEVER
from tocsin.domain.monitor import Policy
from tocsin.domain.schedule import Cron, Daily, Interval, Rolling, Unit
from tocsin.domain.track import Health, Verdict
from tocsin.telemetry.exposition import CHUNK, FAMILIES, STATES, Selection, escape, render, series_of


def text(found, query=None, *, max_samples=1_000_000, now=NOW):
    selection = Selection.parse(query or {})
    series = list(series_of("acme", found, selection, now, lambda _monitor, _slot: 10 * MINUTE))
    return b"".join(render(series, selection, max_samples=max_samples)).decode()


def samples(found, query=None, **options):
    return {
        (sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()) if k not in ("project", "environment"))): (
            sample.value
        )
        for family in text_string_to_metric_families(text(found, query, **options))
        for sample in family.samples
    }


def one(verdict=Verdict.OK, number=1, monitor_fields=None, **fields):
    return (
        monitor(number, **(monitor_fields or {})),
        [("production", track(number, number, verdict=verdict, **fields))],
    )


def test_a_healthy_monitor_says_all_there_is_to_say():
    found = samples(
        [
            one(
                health=Health.HEALTHY,
                expected=NOW + 5,
                deadline=NOW + 65_005,
                last_check_in=NOW - 1,
                ok_count=3,
                last_duration=1500,
            )
        ]
    )
    assert found["tocsin_monitor_state", "monitor=m-1", "state=ok"] == 1
    assert sum(value for key, value in found.items() if key[0] == "tocsin_monitor_state") == 1
    assert found["tocsin_monitor_healthy", "monitor=m-1"] == 1
    assert found["tocsin_monitor_deadline_timestamp_seconds", "monitor=m-1"] == (NOW + 65_005) / 1000
    assert found["tocsin_monitor_expected_timestamp_seconds", "monitor=m-1"] == (NOW + 5) / 1000
    assert found["tocsin_monitor_expected_interval_seconds", "monitor=m-1"] == 600
    assert found["tocsin_monitor_last_run_duration_seconds", "monitor=m-1"] == 1.5
    assert found["tocsin_monitor_checkins_total", "monitor=m-1", "status=ok"] == 3
    assert found["tocsin_scrape_truncated",] == 0


def test_times_that_are_not_known_are_absent_and_not_zero():
    found = samples([one(Verdict.NONE)])
    for name in ("last_checkin", "last_success", "expected", "deadline", "run_deadline"):
        assert (f"tocsin_monitor_{name}_timestamp_seconds", "monitor=m-1") not in found
    assert found["tocsin_monitor_state", "monitor=m-1", "state=new"] == 1


def test_a_paused_monitor_has_its_deadline_at_infinity():
    found = samples([one(monitor_fields={"paused_until": NEVER})])
    assert found["tocsin_monitor_deadline_timestamp_seconds", "monitor=m-1"] == float("inf")
    assert found["tocsin_monitor_state", "monitor=m-1", "state=paused"] == 1


def test_mute_is_a_flag_of_its_own_and_ends():
    fields = {"muted_until": NOW + 1}
    assert samples([one(monitor_fields=fields)])["tocsin_monitor_muted", "monitor=m-1"] == 1
    assert samples([one(monitor_fields=fields)], now=NOW + 1)["tocsin_monitor_muted", "monitor=m-1"] == 0


AWKWARD = 'a "quoted"\\back\\slash\nand a line, {braces}=,# привет'


def test_any_text_survives_the_format():
    policy = Policy(schedules=(Cron("0 0 * * *", AWKWARD),))
    found = text([one(monitor_fields={"display_name": AWKWARD, "origin": AWKWARD, "policy": policy})])
    [info] = [
        sample
        for family in text_string_to_metric_families(found)
        for sample in family.samples
        if sample.name == "tocsin_monitor_info"
    ]
    assert info.labels["name"] == info.labels["dialect"] == info.labels["timezone"] == AWKWARD


def test_escaping_escapes_the_escape_first():
    assert escape('\\"\n') == '\\\\\\"\\n'


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Cron("*/5 * * * *"), ("cron", "*/5 * * * *")),
        (Interval(3, Unit.HOUR), ("interval", "every 3 hour")),
        (Daily(("02:30", "14:30")), ("daily", "02:30,14:30")),
        (Rolling(90_000), ("rolling", "rolling 90s")),
    ],
)
def test_a_schedule_is_a_short_label(schedule, expected):
    kind, words = expected
    line = text([one(monitor_fields={"policy": Policy(schedules=(schedule,))})], {"family": "info"})
    assert f'schedule_kind="{kind}",schedule="{words}"' in line


def test_states_narrow_the_selection():
    found = [one(Verdict.OK, 1), one(Verdict.MISSED, 2), one(Verdict.ERROR, 3), one(Verdict.TIMED_OUT, 4)]
    monitors = {key[1] for key in samples(found, {"state": "missed,error"}) if key[0] == "tocsin_monitor_healthy"}
    assert monitors == {"monitor=m-2", "monitor=m-3"}


def test_not_well_is_a_state_or_the_health_that_outlives_it():
    found = [
        one(Verdict.OK, 1, health=Health.HEALTHY),
        one(Verdict.OK, 2, health=Health.UNHEALTHY),  # its recovery threshold is not reached yet
        one(Verdict.MISSED, 3, health=Health.HEALTHY),  # its failure threshold is not
        one(Verdict.NONE, 4),
    ]
    wanted = {"state": "missed", "or_unhealthy": "true"}
    healthy = {key[1]: value for key, value in samples(found, wanted).items() if key[0] == "tocsin_monitor_healthy"}
    assert healthy == {"monitor=m-2": 0, "monitor=m-3": 1}
    assert ("tocsin_monitor_state", "monitor=m-2", "state=ok") in samples(found, wanted)
    assert ("tocsin_monitor_healthy", "monitor=m-2") not in samples(found, {"state": "missed"})


def test_without_states_there_is_nothing_that_unhealthy_could_add():
    found = [one(Verdict.OK, 1, health=Health.HEALTHY), one(Verdict.OK, 2, health=Health.UNHEALTHY)]
    assert samples(found, {"or_unhealthy": "true"}) == samples(found)


def test_present_states_write_only_the_one():
    found = samples([one()], {"states": "present"})
    assert [key for key in found if key[0] == "tocsin_monitor_state"] == [
        ("tocsin_monitor_state", "monitor=m-1", "state=ok")
    ]


def test_families_narrow_what_is_written_with_or_without_prefix():
    for name in ("healthy", "tocsin_monitor_healthy"):
        assert {key[0] for key in samples([one()], {"family": name})} == {
            "tocsin_monitor_healthy",
            "tocsin_scrape_samples",
            "tocsin_scrape_truncated",
        }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "broken"}, "state"),
        ({"states": "all"}, "states"),
        ({"or_unhealthy": "1"}, "or_unhealthy"),
        ({"family": "nothing"}, "family"),
        ({"shard": "2", "of": "2"}, "shard"),
        ({"shard": "-1"}, "shard"),
        ({"shard": "0", "of": "10001"}, "shard"),
        ({"monitor": "m-1"}, "monitor"),
    ],
)
def test_what_cannot_be_selected_is_named(query, field):
    with pytest.raises(InvalidArgument) as refused:
        Selection.parse(query)
    assert refused.value.violations[0].field == field


def test_shards_are_disjoint_complete_and_stay_the_same():
    found = [one(number=number) for number in range(1, 200)]
    shards = [
        {key[1] for key in samples(found, {"shard": str(shard), "of": "4"}) if key[0] == "tocsin_monitor_healthy"}
        for shard in range(4)
    ]
    assert sum(map(len, shards)) == 199 == len(set.union(*shards))
    assert all(20 < len(shard) < 80 for shard in shards)
    fewer = [one(number=number) for number in range(50, 100)]  # a monitor's shard does not depend on the others
    again = {key[1] for key in samples(fewer, {"shard": "1", "of": "4"}) if key[0] == "tocsin_monitor_healthy"}
    assert again == shards[1] & {f"monitor=m-{number}" for number in range(50, 100)}


def test_over_the_limit_it_is_cut_and_says_so():
    found = [one(number=number) for number in range(1, 50)]
    cut = samples(found, {"family": "healthy,muted"}, max_samples=60)
    assert len(cut) == 60 + 2
    assert cut["tocsin_scrape_samples",] == 60
    assert cut["tocsin_scrape_truncated",] == 1


def test_exactly_at_the_limit_nothing_is_cut():
    found = [one(number=number) for number in range(1, 31)]
    full = samples(found, {"family": "healthy,muted"}, max_samples=60)
    assert full["tocsin_scrape_samples",] == 60
    assert full["tocsin_scrape_truncated",] == 0


def test_chunks_make_one_family():
    found = [one(number=number) for number in range(1, CHUNK + 10)]
    families = [family.name for family in text_string_to_metric_families(text(found, {"family": "healthy"}))]
    assert families == ["tocsin_monitor_healthy", "tocsin_scrape_samples", "tocsin_scrape_truncated"]


def test_every_family_is_declared_with_its_kind():
    written = text([one()])
    for family in FAMILIES:
        assert f"# TYPE {family.name} {family.kind}\n" in written
        assert f"# HELP {family.name} {family.text}\n" in written
    assert len(STATES) == 9
