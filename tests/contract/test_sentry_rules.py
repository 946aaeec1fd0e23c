"""Each rule of Sentry's behaviour (`sentry_rules/*.toml`) is shown by tests that exist, or the README says why it is not.

A rule names its section, itself in a line, and either `tests` ("tests/…/test_x.py::test_y") or the `reason` why it is
not built.
"""

import ast
import functools
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
README = " ".join((ROOT / "src/tocsin/dialects/sentry/README.md").read_text(encoding="utf-8").split())
# Those of the behaviour document that say what is to be observed. Each must have a rule.
SECTIONS = (
    *(f"1.{number}" for number in range(1, 9)),
    *(f"2.{number}" for number in range(1, 5)),
    *(f"3.{number}" for number in range(1, 5)),
    *(f"4.{number}" for number in range(1, 8)),
    *(f"5.{number}" for number in range(1, 6)),
    *(f"6.{number}" for number in range(1, 4)),
    *(f"7.{number}" for number in range(1, 6)),
    *("8", "10"),
)


def _rules() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for path in sorted((Path(__file__).parent / "sentry_rules").glob("*.toml")):
        found += [(path.name, rule) for rule in tomllib.loads(path.read_text(encoding="utf-8"))["rule"]]
    return found


RULES = _rules()


@functools.cache
def _functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize(("file", "rule"), RULES, ids=[f"{rule['section']}-{rule['rule'][:40]}" for _, rule in RULES])
def test_a_rule_is_shown_or_its_absence_explained(file: str, rule: dict[str, Any]) -> None:
    assert set(rule) in ({"section", "rule", "tests"}, {"section", "rule", "reason"}), file
    if "reason" in rule:
        assert f"**{rule['rule']}**" in README, "the dialect's README lists what is not built"
        return
    assert rule["tests"]
    for test in rule["tests"]:
        path, _, function = test.partition("::")
        assert (ROOT / path).is_file(), test
        assert function in _functions(ROOT / path), test


def test_every_section_has_a_rule() -> None:
    assert set(SECTIONS) <= {rule["section"] for _, rule in RULES}


def test_no_rule_comes_twice() -> None:
    pairs = [(rule["section"], rule["rule"]) for _, rule in RULES]
    assert len(set(pairs)) == len(pairs)
