"""The contract is linted and judged for breaking changes by buf, offline; and both judges are shown to be awake."""

import re
import shutil

import pytest

from contract.descriptors import PROTO, ROOT, buf, compile_set

RELEASED = PROTO / "released.binpb"


@pytest.fixture(scope="module")
def current(tmp_path_factory):
    return compile_set(PROTO, tmp_path_factory.mktemp("contract") / "current.binpb")


@pytest.fixture
def changed(tmp_path):
    """Compiles the contract with one text replaced in one file."""

    def change(file, old, new):
        proto = tmp_path / "proto"
        shutil.copytree(PROTO, proto)
        path = proto / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return compile_set(proto, tmp_path / "changed.binpb")

    return change


def test_lint(current):
    done = buf("lint", str(current))
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_breaks_what_was_released(current):
    done = buf("breaking", str(current), "--against", str(RELEASED))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"),
    [
        ("tocsin/v1/incident.proto", "  // When it was resolved. Unset while it is open.\n", "", "COMMENT_FIELD"),
        ("tocsin/v1/incident.proto", "CAUSE_UNSPECIFIED", "CAUSE_NONE", "ENUM_ZERO_VALUE_SUFFIX"),
        ("tocsin/v1/incident.proto", "resolve_time", "resolveTime", "FIELD_LOWER_SNAKE_CASE"),
    ],
)
def test_lint_can_fail(changed, file, old, new, rule):
    done = buf("lint", str(changed(file, old, new)), "--error-format", "json")
    assert done.returncode == 100
    assert rule in done.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"),
    [
        ("tocsin/v1/check_in.proto", "string host = 12", "string host = 99", "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED"),
        ("tocsin/v1/check_in.proto", "string host = 12", "string machine = 12", "FIELD_SAME_NAME"),
        ("tocsin/v1/check_in.proto", "string host = 12", "int64 host = 12", "FIELD_WIRE_JSON_COMPATIBLE_TYPE"),
        ("tocsin/v1/check_in.proto", "STATE_NOTE = 7", "STATE_NOTE = 9", "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED"),
        ("tocsin/internal/v1/journal.proto", "string request_id = 2", "string request = 2", "FIELD_SAME_NAME"),
    ],
)
def test_breaking_can_fail(changed, file, old, new, rule):
    done = buf("breaking", str(changed(file, old, new)), "--against", str(RELEASED), "--error-format", "json")
    assert done.returncode == 100
    assert rule in done.stdout


def test_every_exception_has_a_reason():
    lines = (PROTO / "buf.yaml").read_text().splitlines()
    excepted = [index for index, line in enumerate(lines) if re.match(r"\s+- RPC_", line)]
    assert excepted
    for index in excepted:
        assert lines[index - 1].lstrip().startswith("#"), lines[index]


def test_the_build_left_the_comments_beside_the_modules():
    assert (ROOT / "src/tocsin/v1/descriptors.binpb").stat().st_size > 10_000
