"""The README names every setting, metric and command; the tree keeps its sizes."""

import re
import typing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from tocsin.app.settings import Settings
from tocsin.cli.main import main
from tocsin.telemetry.exposition import FAMILIES
from tocsin.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def settings() -> Iterator[tuple[str, object]]:
    for section in msgspec.structs.fields(Settings):
        tables = typing.get_args(section.type)  # of a section that may be there more than once
        for field in msgspec.structs.fields(tables[0] if tables else section.type):
            yield f"{section.name}.{field.name}", field.default


def commands(command: click.Command, path: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, f"{path} {name}")
    else:
        yield path


@pytest.mark.parametrize(("name", "default"), list(settings()))
def test_every_setting_is_documented(name: str, default: object) -> None:
    rows = [line for line in README.splitlines() if line.startswith("|") and f"`{name}`" in line]
    assert rows, f"README.md does not name the setting {name}"
    if isinstance(default, int | float) and not isinstance(default, bool):
        assert f"{default:g}" in rows[0].replace(",", "") or str(default) in rows[0]


def test_every_documented_setting_exists() -> None:
    documented = set(
        re.findall(
            r"`((?:listen|store|engine|notify|outgoing|telemetry|dialects|projects|maintenance)\.[a-z_]+)`", README
        )
    )
    assert documented == {name for name, _ in settings()}


@pytest.mark.parametrize("command", list(commands(main, "tocsin")))
def test_every_command_is_documented(command: str) -> None:
    assert f"`{command}" in README, f"README.md does not name the command {command}"


def metric_names() -> set[str]:
    registry = CollectorRegistry()
    Metrics(registry, str)
    names = set()
    for family in registry.collect():
        names.add(f"{family.name}_total" if family.type == "counter" else family.name)
    collectors = (ROOT / "src/tocsin/telemetry/collectors.py").read_text(encoding="utf-8")
    names |= set(re.findall(r'"(tocsin_[a-z_]+)"', collectors))
    exposition = (ROOT / "src/tocsin/telemetry/exposition.py").read_text(encoding="utf-8")
    names |= set(re.findall(r"(tocsin_scrape_[a-z]+) ", exposition))
    return names | {family.name for family in FAMILIES}


@pytest.mark.parametrize("name", sorted(metric_names()))
def test_every_metric_is_documented(name: str) -> None:
    assert f"`{name}`" in README, f"README.md does not name the metric {name}"


def test_rules_and_readme_name_only_metrics_that_exist() -> None:
    known = metric_names()
    text = README + (ROOT / "deploy/prometheus/rules.yml").read_text(encoding="utf-8")
    for name in set(re.findall(r"\b(tocsin_[a-z_0-9]+)\b", text)):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        assert name in known or base in known or name == "tocsin_monitor_", f"{name} is not a metric"


@pytest.mark.parametrize("path", sorted(ROOT.glob("src/tocsin/**/*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_small_and_say_what_they_do(path: Path) -> None:
    if path.name.endswith(("_pb2.py", "_pb2_grpc.py")):
        return
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""'), f"{path.name} does not begin with what it does"
    assert len(text.splitlines()) <= 320, f"{path.name} is long: where is the seam?"


def test_the_top_level_is_fixed() -> None:
    allowed = {"pyproject.toml", "setup.py", "README.md", "proto", "src", "ext", "tests", "benchmarks", "Makefile"}
    allowed |= {"LICENSE", "deploy"}
    generated = {"build", "data", "dist"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - generated <= allowed


def test_modules_of_tests_have_names_of_their_own() -> None:
    """pytest imports them by their last name only."""
    names = Counter(path.name for path in ROOT.glob("tests/**/test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
