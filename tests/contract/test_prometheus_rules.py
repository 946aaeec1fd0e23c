"""The rules that operators get, judged by Prometheus's own tool: they parse, and fire when they should and only then."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules.yml"
IDENTITY = 'project="p",monitor="m",environment="production"'
LABELS = {"project": "p", "monitor": "m", "environment": "production"}

pytestmark = pytest.mark.system


@pytest.fixture
def promtool(debian_program: Callable[[str], str]) -> str:
    return debian_program("promtool")


def series(name: str, labels: str, values: str) -> dict[str, str]:
    return {"series": f"{name}{{{labels}}}", "values": values}


def missed(muted: int) -> list[dict[str, str]]:
    return [
        series("tocsin_monitor_state", f'{IDENTITY},state="missed"', "0 1 1 1 1"),
        series("tocsin_monitor_muted", IDENTITY, f"{muted} {muted} {muted} {muted} {muted}"),
        series("tocsin_monitor_healthy", IDENTITY, "1 0 0 0 0"),
    ]


# (rule, series by the minute, the minute to look at, labels of the alerts that must fire)
CASES: list[tuple[str, list[dict[str, str]], str, list[dict[str, str]]]] = [
    ("TocsinMonitorMissed", missed(0), "0m", []),
    ("TocsinMonitorMissed", missed(0), "2m", [{**LABELS, "severity": "warning", "state": "missed"}]),
    ("TocsinMonitorMissed", missed(1), "2m", []),
    ("TocsinMonitorUnhealthy", missed(0), "2m", [{**LABELS, "severity": "critical"}]),
    ("TocsinMonitorUnhealthy", missed(1), "2m", []),
    (  # its recovery threshold is not reached yet: all that /metrics/unhealthy still says of it
        "TocsinMonitorUnhealthy",
        [
            series("tocsin_monitor_state", f'{IDENTITY},state="ok"', "1x5"),
            series("tocsin_monitor_muted", IDENTITY, "0x5"),
            series("tocsin_monitor_healthy", IDENTITY, "0x5"),
        ],
        "2m",
        [{**LABELS, "severity": "critical"}],
    ),
    ("TocsinMonitorUnhealthy", [series("tocsin_monitor_healthy", IDENTITY, "0 0 0 stale")], "4m", []),
    (
        "TocsinMonitorFlapping",
        [series("tocsin_monitor_healthy", IDENTITY, "1 0 1 0 1 0 1 0 1")],
        "8m",
        [{**LABELS, "severity": "info"}],
    ),
    (
        "TocsinMonitorRunningLong",
        [
            series("tocsin_monitor_last_run_duration_seconds", IDENTITY, "60x10"),
            series("tocsin_monitor_last_checkin_timestamp_seconds", IDENTITY, "0x10"),
            series("tocsin_monitor_open_runs", IDENTITY, "1x10"),
        ],
        "5m",
        [{**LABELS, "severity": "info"}],
    ),
    (
        "TocsinMassMiss",
        [
            series("tocsin_missed_total", 'project="p"', "0 0 0 50 50 50"),
            series("tocsin_monitors", 'project="p",state="ok"', "100x6"),
        ],
        "5m",
        [{"project": "p", "severity": "critical"}],
    ),
    (
        "TocsinMassMiss",
        [
            series("tocsin_missed_total", 'project="p"', "0 0 0 5 5 5"),
            series("tocsin_monitors", 'project="p",state="ok"', "100x6"),
        ],
        "5m",
        [],
    ),
    (
        "TocsinEnvironmentUnjudgeable",
        [series("tocsin_environments_unjudgeable", 'instance="t"', "0 2 2")],
        "1m",
        [{"instance": "t", "severity": "critical"}],
    ),
    (
        "TocsinVerdictsWithheld",
        [series("tocsin_unknown_total", 'project="p"', "0 0 7 7 7")],
        "4m",
        [{"project": "p", "severity": "warning"}],
    ),
    (
        "TocsinDeadlinePassedUnjudged",
        [
            series("tocsin_monitor_deadline_timestamp_seconds", IDENTITY, "60x10"),
            series("tocsin_monitor_state", f'{IDENTITY},state="ok"', "1x10"),
        ],
        "5m",
        [{**LABELS, "severity": "critical"}],
    ),
    (
        "TocsinDeadlinePassedUnjudged",
        [
            series("tocsin_monitor_deadline_timestamp_seconds", IDENTITY, "240x10"),
            series("tocsin_monitor_state", f'{IDENTITY},state="ok"', "1x10"),
        ],
        "5m",
        [],
    ),
]


def test_the_rules_are_valid(promtool: str) -> None:
    checked = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda case: f"{CASES[case][0]}-{case}")
def test_a_rule_fires_when_it_should(promtool: str, tmp_path: Path, case: int) -> None:
    rule, given, minute, wanted = CASES[case]
    summary = _annotations(rule)
    test: dict[str, Any] = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "1m",
                "input_series": given,
                "alert_rule_test": [
                    {
                        "alertname": rule,
                        "eval_time": minute,
                        "exp_alerts": [{"exp_labels": labels, "exp_annotations": summary(labels)} for labels in wanted],
                    }
                ],
            }
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps(test))  # JSON is YAML
    checked = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_looks_at_healthy_monitors_stands_in_the_group_that_gets_them() -> None:
    """/metrics/unhealthy leaves a monitor out while it is well: no history, no slot to come, no run in time."""
    import yaml

    groups = {group["name"]: group["rules"] for group in yaml.safe_load(RULES.read_text())["groups"]}
    names = {group: {rule.get("alert") or rule["record"] for rule in rules} for group, rules in groups.items()}
    assert names["tocsin-monitors"] == {"TocsinMonitorMissed", "TocsinMonitorTimedOut", "TocsinMonitorUnhealthy"}
    per_monitor = {
        rule.get("alert") or rule["record"]
        for rules in groups.values()
        for rule in rules
        if "tocsin_monitor_" in rule["expr"]
    }
    assert per_monitor == names["tocsin-monitors"] | names["tocsin-all-monitors"]


def _annotations(rule: str) -> Callable[[dict[str, str]], dict[str, str]]:
    """The rule's annotations with labels filled in, as Prometheus does."""
    import yaml

    found = next(
        one
        for group in yaml.safe_load(RULES.read_text())["groups"]
        for one in group["rules"]
        if one.get("alert") == rule
    )

    def fill(labels: dict[str, str]) -> dict[str, str]:
        filled = {}
        for name, text in found.get("annotations", {}).items():
            for label, value in labels.items():
                text = text.replace(f"{{{{ $labels.{label} }}}}", value)
            filled[name] = text
        return filled

    return fill
