"""Whatever a body holds, it is read or refused with the member's name; what was shown says nothing new."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.dialects.checkly.problems import Problems
from tocsin.dialects.checkly.resources import channel_config, channel_json, group_json, window_json
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.group import Group
from tocsin.domain.notification import Channel, check_channel

CONFIG = ("address", "url", "channel", "slackChannels", "name", "method", "template", "headers", "queryParameters")
MEMBERS = (
    *("type", "config", "sendFailure", "sslExpiryThreshold", *CONFIG, "number", "serviceKey", "apiKey", "region"),
    *("startsAt", "endsAt", "repeatUnit", "repeatInterval", "repeatEndsAt", "timezone", "tags", "pauseAllChecks"),
    *("alertSettings", "environmentVariables", "alertChannelSubscriptions", "locations", "concurrency", "v", "key"),
    *("value", "locked", "secret", "statusPageVisibility", "useGlobalAlertSettings", "retryStrategy"),
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(
        (*channel_config.TYPES, "DAY", "2030-01-01T00:00:00Z", "2030-01-02T00:00:00Z", "UTC", "https://x/")
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=6),
    max_leaves=20,
)
BODIES = st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=12)


@settings(max_examples=100, deadline=None)
@given(BODIES | VALUES, st.sampled_from((*channel_config.TYPES, None)))
def test_any_channel(body, kind):
    if isinstance(body, dict) and kind is not None:
        body = {
            **body,
            "type": kind,
            "config": {**body, **(body.get("config") if isinstance(body.get("config"), dict) else {})},
        }
    try:
        values = channel_json.read(body)
    except InvalidArgument as problem:
        assert problem.violations[0].field
        return
    channel = msgspec.structs.replace(Channel(1, 1, "c"), **values)
    shown = channel_json.show(channel, [], {}, secrets=True)
    again = msgspec.structs.replace(channel, **channel_json.read(shown, channel))
    assert again == channel
    try:
        check_channel(channel)
    except InvalidArgument as problem:
        assert problem.violations[0].field


@settings(max_examples=100, deadline=None)
@given(BODIES | VALUES)
def test_any_window(body):
    if isinstance(body, dict):
        body = {"name": "w", "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-01-02T00:00:00Z", **body}
    try:
        said = window_json.read(body)
    except InvalidArgument as problem:
        assert problem.violations[0].field
        return
    shown = window_json.show(1, said, 0, None)
    assert window_json.read(msgspec.json.decode(msgspec.json.encode(shown)), said) == said


@settings(max_examples=100, deadline=None)
@given(BODIES | VALUES, st.sampled_from((1, 2)))
def test_any_group(body, version):
    if isinstance(body, dict):
        body = {"name": "g", **body}
    problems = Problems()
    planned = group_json.read(body, None, version, problems)
    if problems.found:
        assert all(problem.field for problem in problems.found)
        return
    group = msgspec.structs.replace(Group(1, 1, "g"), **planned.values)
    shown = group_json.show(group, [], [], {})
    again = group_json.read(msgspec.json.decode(msgspec.json.encode(shown)), group, version, problems)
    assert not problems.found
    assert group_json.show(msgspec.structs.replace(group, **again.values), [], [], {}) == shown


@pytest.mark.parametrize("kind", channel_config.TYPES)
def test_no_secret_is_shown_to_readers(kind):
    config = {
        "address": "a@b",
        "url": "https://x/y",
        "slackChannels": ["#a"],
        "number": "+15550001111",
        "serviceKey": "secret-1",
        "apiKey": "secret-2",
        "webhookSecret": "secret-3",
        "headers": [{"key": "Authorization", "value": "secret-4", "locked": True}],
    }
    values = channel_json.read({"type": kind, "config": config})
    channel = msgspec.structs.replace(Channel(1, 1, "c"), **values)
    assert b"secret-" not in msgspec.json.encode(channel_json.show(channel, [], {}, secrets=False)["config"])
