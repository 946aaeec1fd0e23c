"""Escalations, what groups decide and the forms of channels across the border."""

import pytest

from tocsin.domain.errors import InvalidArgument
from tocsin.domain.escalation import holding
from tocsin.domain.group import Group
from tocsin.domain.instant import MINUTE
from tocsin.domain.monitor import AlertPolicy, Escalation, Monitor
from tocsin.domain.notification import Channel, ChannelKind, Form, Pair
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings
from tocsin.v1 import channel_pb2, group_pb2, monitor_pb2
from tocsin.wire.escalation import from_escalation, to_escalation
from tocsin.wire.group import from_group, to_values
from tocsin.wire.masks import to_change
from tocsin.wire.monitor import from_alert_policy
from tocsin.wire.notification import from_channel, keeps_secret, to_channel_values
from tocsin.wire.project_settings import from_settings, to_settings

ALL = Escalation(3, 10 * MINUTE, 5 * MINUTE, 4)


def test_an_escalation_there_and_back():
    message = from_escalation(ALL)
    assert to_escalation(message, "x") == ALL
    assert to_escalation(monitor_pb2.Escalation(), "x") == Escalation()
    assert from_escalation(None) is None


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"failure_threshold": 721}, r"x\.failure_threshold: must be between 1 and 720"),
        ({"failure_threshold": -1}, r"x\.failure_threshold"),
        ({"repeat_limit": 10_001}, r"x\.repeat_limit"),
        ({"delay": {"seconds": -1}}, r"x\.delay"),
        ({"repeat_interval": {"seconds": 367 * 86_400}}, r"x\.repeat_interval"),
    ],
)
def test_what_an_escalation_may_not_be(fields, path):
    with pytest.raises(InvalidArgument, match=path):
        to_escalation(monitor_pb2.Escalation(**fields), "x")


def test_an_alert_policy_there_and_back():
    policy = AlertPolicy(("ops",), escalation=ALL, project_escalation=True)
    change = to_change(monitor_pb2.Monitor(alert_policy=from_alert_policy(policy)))
    assert change.apply(Monitor(0, 1, "m", ""), 0).alert_policy == policy
    plain = to_change(monitor_pb2.Monitor(alert_policy=from_alert_policy(AlertPolicy())))
    assert plain.alert_policy == AlertPolicy()


def test_settings_there_and_back():
    message = from_settings(1, ProjectSettings(escalation=ALL), DEFAULTS)
    assert to_settings(message) == (ProjectSettings(escalation=ALL), ("escalation",))
    assert to_escalation(message.effective.escalation, "x") == Escalation()
    with pytest.raises(InvalidArgument, match=r"project_settings\.escalation\.repeat_limit"):
        message.escalation.repeat_limit = -1
        to_settings(message)


def test_a_group_there_and_back():
    group = Group(5, 7, "k", "K", tags=("a",), muted=True, inactive=True, escalation=ALL, project_escalation=False)
    message = from_group(group, 2)
    assert message.inactive
    assert to_values(message) == {
        "display_name": "K",
        "tags": ("a",),
        "muted": True,
        "escalation": ALL,
        "project_escalation": False,
    }
    assert to_values(group_pb2.Group(), ["escalation", "project_escalation", "muted"]) == {
        "escalation": None,
        "project_escalation": None,
        "muted": False,
    }
    with pytest.raises(InvalidArgument, match="output only"):
        to_values(message, ["inactive"])


def test_a_channel_there_and_back_without_its_secret():
    headers, query = (Pair("A", "l0cked", locked=True), Pair("B", "b")), (Pair("q"), Pair("r", "l0cked", locked=True))
    form = Form("PUT", "{{X}}", headers, query, "s3cret", "WEBHOOK_MSTEAMS")
    channel = Channel(1, 1, "c", url="https://example.org/", form=form, send_failure=False, auto_subscribe=True)
    message = from_channel(channel)
    assert "s3cret" not in str(message)
    assert "l0cked" not in str(message)
    values = to_channel_values(message)
    assert (values["send_failure"], values["send_recovery"], values["auto_subscribe"]) == (False, True, True)
    blank = Pair("A", locked=True), Pair("r", locked=True)
    assert values["form"] == Form("PUT", "{{X}}", (blank[0], headers[1]), (query[0], blank[1]))
    assert keeps_secret(message)
    message.form.secret = ""
    assert not keeps_secret(message)
    everything = to_channel_values(channel_pb2.Channel(url="https://example.org/"), ["*"])
    assert everything["form"] is None
    assert everything["send_failure"] is everything["send_recovery"] is True
    assert everything["kind"] is ChannelKind.WEBHOOK


@pytest.mark.parametrize("kind", ChannelKind)
def test_every_kind_has_a_name(kind):
    message = from_channel(Channel(1, 1, "c", kind=kind))
    assert to_channel_values(message)["kind"] is kind


PROJECT, OWN, GROUP = Escalation(2), Escalation(3), Escalation(4)


@pytest.mark.parametrize(
    ("policy", "group", "found"),
    [
        (AlertPolicy(), (None, None), None),
        (AlertPolicy(escalation=OWN), (None, None), OWN),
        (AlertPolicy(escalation=OWN, project_escalation=True), (None, None), PROJECT),
        (AlertPolicy(escalation=OWN), (GROUP, None), OWN),
        (AlertPolicy(escalation=OWN), (GROUP, False), GROUP),
        (AlertPolicy(escalation=OWN), (None, False), OWN),
        (AlertPolicy(escalation=OWN), (GROUP, True), PROJECT),
        (AlertPolicy(), (None, True), PROJECT),
    ],
)
def test_which_holds(policy, group, found):
    assert holding(policy, PROJECT, group) == found
    assert holding(policy, None, group) == (Escalation() if found is PROJECT else found)
