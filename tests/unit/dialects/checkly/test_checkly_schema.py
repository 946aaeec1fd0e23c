"""Bodies of checks: every attribute with what it may be, all problems at once, and nothing that makes it fall over."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dialects.checkly.checks import alert_settings, heartbeat, schema
from tocsin.dialects.checkly.checks.heartbeat import Length
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.instant import DAY, HOUR, MINUTE, SECOND
from tocsin.domain.monitor import Escalation

BEAT = {"period": 1, "periodUnit": "hours", "grace": 0, "graceUnit": "seconds"}
TOKEN = "af18676f-1cb3-4f4a-8277-fbde957acfd3"
INCIDENT = {
    "serviceId": TOKEN,
    "severity": "MAJOR",
    "name": "n",
    "description": "d",
    "notifySubscribers": False,
}


def read(**body):
    problems = Problems()
    return schema.read(body, problems), problems


def fields(**body):
    return [problem.field for problem in read(**body)[1].found]


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("name", "x", "x"),
        ("activated", False, False),
        ("muted", True, True),
        ("tags", ["a", "b", "a"], ("a", "b")),
        ("tags", [], ()),
        ("description", "d" * 510, "d" * 510),
        ("description", None, None),
        ("useGlobalAlertSettings", False, False),
        ("alertChannelSubscriptions", [], ()),
        ("alertChannelSubscriptions", [{"alertChannelId": 7.0, "activated": True}], ((7, True),)),
        ("alertChannelSubscriptions", [{"alertChannelId": 7, "activated": False}] * 2, ((7, False),)),
        ("groupId", 3, 3),
        ("groupId", "null", None),
        ("groupId", "", None),
        ("groupId", None, None),
        ("groupOrder", 0, 0),
        ("groupOrder", 1.5, 1.5),
        ("groupOrder", "null", None),
        ("triggerIncident", INCIDENT, INCIDENT),
        ("triggerIncident", None, None),
        ("runParallel", True, True),
        ("locations", ["us-east-1", "ap-southeast-3"], ["us-east-1", "ap-southeast-3"]),
        ("locations", None, None),
        ("intent", {"goal": "g"}, {"goal": "g", "requiredOutcomes": [], "mustPreserve": []}),
        ("aiAutoRepairEnabled", None, None),
        ("doubleCheck", False, False),
        ("shouldFail", True, True),
        ("frequency", 0, 0),
        ("frequency", 1440, 1440),
        ("frequencyOffset", 1, 1),
        ("runtimeId", "2026.04", "2026.04"),
        ("runtimeId", None, None),
        ("script", "<string>", "<string>"),
        ("sslCheckDomain", "", ""),
        (
            "environmentVariables",
            [{"key": "K", "value": "v", "secret": True}],
            [{"key": "K", "value": "", "locked": False, "secret": True}],
        ),
        ("setupSnippetId", None, None),
        ("tearDownSnippetId", 4, 4),
        ("degradedResponseTime", 300_000, 300_000),
        ("maxResponseTime", 0, 0),
        ("checkType", "HEARTBEAT", "HEARTBEAT"),
    ],
)
def test_what_may_be_said(name, value, kept):
    said, problems = read(**{name: value})
    assert (said, problems.found) == ({name: kept}, [])


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("name", "", "name"),
        ("name", None, "name"),
        ("name", 7, "name"),
        ("name", "a\0b", "name"),
        ("name", "a\nb", "name"),
        ("name", "\x1b[2J", "name"),
        ("name", " \u00a0", "name"),
        ("description", "a\0", "description"),
        ("tags", ["\0"], "tags[0]"),
        ("environmentVariables", [{"key": "K", "value": "\0"}], "environmentVariables[0].value"),
        ("activated", "yes", "activated"),
        ("activated", None, "activated"),
        ("muted", 1, "muted"),
        ("tags", "a", "tags"),
        ("tags", [""], "tags[0]"),
        ("tags", ["a", 1], "tags[1]"),
        ("tags", ["t"] * 101, "tags"),
        ("description", "d" * 511, "description"),
        ("alertChannelSubscriptions", {}, "alertChannelSubscriptions"),
        ("alertChannelSubscriptions", [1], "alertChannelSubscriptions[0]"),
        (
            "alertChannelSubscriptions",
            [{"alertChannelId": "1", "activated": True}],
            "alertChannelSubscriptions[0].alertChannelId",
        ),
        ("alertChannelSubscriptions", [{"alertChannelId": 1}], "alertChannelSubscriptions[0].activated"),
        (
            "alertChannelSubscriptions",
            [{"alertChannelId": 1, "activated": one} for one in (True, False)],
            "alertChannelSubscriptions[1].activated",
        ),
        ("groupId", "none", "groupId"),
        ("groupId", 0, "groupId"),
        ("groupId", 1.5, "groupId"),
        ("groupId", True, "groupId"),
        ("groupOrder", -1, "groupOrder"),
        ("triggerIncident", {**INCIDENT, "severity": "HUGE"}, "triggerIncident.severity"),
        ("triggerIncident", {**INCIDENT, "serviceId": "x"}, "triggerIncident.serviceId"),
        ("triggerIncident", {**INCIDENT, "notifySubscribers": None}, "triggerIncident.notifySubscribers"),
        ("locations", ["mars-1"], "locations[0]"),
        ("locations", "us-east-1", "locations"),
        ("frequency", 7, "frequency"),
        ("frequency", "10", "frequency"),
        ("frequencyOffset", 0, "frequencyOffset"),
        ("runtimeId", "2021.06", "runtimeId"),
        ("environmentVariables", [{"key": "K", "value": "v"}] * 201, "environmentVariables"),
        ("environmentVariables", [{"key": "", "value": "v"}], "environmentVariables[0].key"),
        ("degradedResponseTime", 300_001, "degradedResponseTime"),
        ("maxResponseTime", -1, "maxResponseTime"),
        ("checkType", "API", "checkType"),
        ("heartbeat", None, "heartbeat"),
        ("heartbeat", [], "heartbeat"),
    ],
)
def test_what_may_not_be_said(name, value, field):
    assert fields(**{name: value}) == [field]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"heartbeat": {**BEAT, "period": 1e30}}, "heartbeat.period: must be 30 seconds to 365 days, not 1e+30 hours"),
        (
            {"heartbeat": {**BEAT, "period": 10**400}},
            "heartbeat.period: must be 30 seconds to 365 days, not a number of many digits hours",
        ),
        ({"heartbeat": {**BEAT, "grace": -1}}, "heartbeat.grace: must be 0 seconds to 365 days, not -1 seconds"),
        ({"heartbeat": {**BEAT, "period": True}}, "heartbeat.period: must be a number, not true"),
        ({"heartbeat": {}}, "heartbeat.periodUnit: is required"),
        ({"groupId": 0}, "groupId: must be 1 or more, not 0"),
        ({"setupSnippetId": -0.5}, "setupSnippetId: must be 0 or more, not -0.5"),
        ({"maxResponseTime": 300_001}, "maxResponseTime: must be 0 to 300000, not 300001"),
        ({"muted": 1}, "muted: must be true or false, not 1"),
        ({"tags": {}}, "tags: must be a list, not an object"),
        ({"tags": [None]}, "tags[0]: must be text, not null"),
        ({"name": [1, 2]}, "name: must be text, not a list of 2"),
        ({"triggerIncident": {"serviceId": "x"}}, "triggerIncident.severity: is required"),
        ({"triggerIncident": {**INCIDENT, "serviceId": None}}, "triggerIncident.serviceId: is required"),
        ({"triggerIncident": {**INCIDENT, "name": None}}, "triggerIncident.name: is required"),
        ({"triggerIncident": {**INCIDENT, "severity": True}}, "triggerIncident.severity: true is none of CRITICAL"),
        ({"environmentVariables": [{}]}, "environmentVariables[0].key: is required"),
        ({"alertChannelSubscriptions": [{}]}, "alertChannelSubscriptions[0].alertChannelId: is required"),
    ],
)
def test_problems_are_told_in_the_words_of_who_wrote_the_body(body, told):
    text = read(**body)[1].told
    assert told in text
    assert not re.search(r"None|True|False|e\+0|e\+1", text)


def test_what_is_not_known_does_not_matter():
    assert read(id="", createdAt="0001-01-01T00:00:00Z", sslCheck=1, retryStrategy=[], request=7)[0] == {}


def test_all_problems_are_told_together():
    refusal = read(name=1, muted=2, frequency=3)[1].refusal()
    assert refusal.more["validation"] == {"source": "payload", "keys": ["name", "muted", "frequency"]}
    assert refusal.text.count("; ") == 2


@pytest.mark.parametrize(
    ("period", "unit", "millis"),
    [
        (30, "seconds", 30 * SECOND),
        (0.5, "minutes", 30 * SECOND),
        (365, "days", 365 * DAY),
        (8760, "hours", 365 * DAY),
        (1.5, "hours", 90 * MINUTE),
        (0.1, "days", 8_640 * SECOND),
        (24.0, "hours", DAY),
    ],
)
def test_periods(period, unit, millis):
    said, problems = read(heartbeat={**BEAT, "period": period, "periodUnit": unit})
    assert problems.found == []
    assert said["heartbeat"].period.millis == millis


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"period": 29, "periodUnit": "seconds"}, "period"),
        ({"period": 0}, "period"),
        ({"period": -1}, "period"),
        ({"period": 365.00002, "periodUnit": "days"}, "period"),
        ({"period": 366, "periodUnit": "days"}, "period"),
        ({"period": 30.5, "periodUnit": "seconds"}, "period"),
        ({"period": 1 / 3}, "period"),
        ({"period": "1"}, "period"),
        ({"period": True}, "period"),
        ({"period": None}, "period"),
        ({"period": 10**400}, "period"),
        ({"periodUnit": "weeks"}, "periodUnit"),
        ({"periodUnit": "Hours"}, "periodUnit"),
        ({"periodUnit": ["hours"]}, "periodUnit"),
        ({"periodUnit": None}, "periodUnit"),
        ({"grace": -1}, "grace"),
        ({"grace": 0.5}, "grace"),
        ({"grace": 366, "graceUnit": "days"}, "grace"),
        ({"grace": None}, "grace"),
        ({"graceUnit": ""}, "graceUnit"),
        ({"pingToken": "abc"}, "pingToken"),
        ({"pingToken": 7}, "pingToken"),
        ({"pingToken": TOKEN + "0"}, "pingToken"),
    ],
)
def test_heartbeats_that_are_none(change, field):
    assert fields(heartbeat={**BEAT, **change}) == [f"heartbeat.{field}"]


@pytest.mark.parametrize("missing", ["period", "periodUnit", "grace", "graceUnit"])
def test_a_heartbeat_needs_its_four(missing):
    assert fields(heartbeat={name: value for name, value in BEAT.items() if name != missing}) == [
        f"heartbeat.{missing}"
    ]


@pytest.mark.parametrize(
    ("token", "kept"), [(None, ""), ("", ""), ("<string>", ""), (TOKEN.upper(), TOKEN.replace("-", ""))]
)
def test_tokens(token, kept):
    assert read(heartbeat={**BEAT, "pingToken": token})[0]["heartbeat"].token == kept


@pytest.mark.parametrize(
    ("length", "kept", "wanted"),
    [
        (DAY, Length(24, "hours"), Length(24, "hours")),
        (DAY, Length(23, "hours"), Length(1, "days")),
        (90 * MINUTE, None, Length(90, "minutes")),
        (0, None, Length(0, "seconds")),
        (HOUR + 500, None, Length(3600.5, "seconds")),
    ],
)
def test_lengths_in_units(length, kept, wanted):
    assert heartbeat.in_units(length, kept) == wanted


# -- alert settings


def settings(**parts):
    problems = Problems()
    found = alert_settings.read(parts, "alertSettings", problems)
    return found, [problem.field for problem in problems.found]


def test_parts_that_are_missing_have_their_defaults():
    empty = {
        name: {}
        for name in (
            *("runBasedEscalation", "timeBasedEscalation", "reminders"),
            *("parallelRunFailureThreshold", "sslCertificates"),
        )
    }
    assert settings(**empty) == settings(**dict.fromkeys(empty)) == (alert_settings.defaults(), [])


@pytest.mark.parametrize(
    ("parts", "escalation"),
    [
        ({}, Escalation()),
        ({"runBasedEscalation": {"failedRunThreshold": 5}}, Escalation(failures=5)),
        (
            {"escalationType": "TIME_BASED", "runBasedEscalation": {"failedRunThreshold": 5}},
            Escalation(delay_ms=5 * MINUTE),
        ),
        (
            {"escalationType": "TIME_BASED", "timeBasedEscalation": {"minutesFailingThreshold": 30}},
            Escalation(delay_ms=30 * MINUTE),
        ),
        ({"timeBasedEscalation": {"minutesFailingThreshold": 30}}, Escalation()),
        ({"reminders": {"amount": 2, "interval": 10}}, Escalation(repeat_interval_ms=10 * MINUTE, repeat_limit=3)),
        ({"reminders": {"amount": 100_000}}, Escalation(repeat_interval_ms=5 * MINUTE)),
        ({"reminders": {"amount": 0, "interval": 30}}, Escalation()),
    ],
)
def test_what_settings_come_to(parts, escalation):
    found, wrong = settings(**parts)
    assert wrong == []
    assert alert_settings.escalation_of(found) == escalation
    assert alert_settings.shown(found, escalation) == found


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"escalationType": "NEVER"}, "escalationType"),
        ({"runBasedEscalation": {"failedRunThreshold": 0}}, "runBasedEscalation.failedRunThreshold"),
        ({"runBasedEscalation": {"failedRunThreshold": 6}}, "runBasedEscalation.failedRunThreshold"),
        ({"runBasedEscalation": 1}, "runBasedEscalation"),
        ({"timeBasedEscalation": {"minutesFailingThreshold": 7}}, "timeBasedEscalation.minutesFailingThreshold"),
        ({"reminders": {"amount": 6}}, "reminders.amount"),
        ({"reminders": {"amount": True}}, "reminders.amount"),
        ({"reminders": {"interval": 0}}, "reminders.interval"),
        ({"parallelRunFailureThreshold": {"enabled": "no"}}, "parallelRunFailureThreshold.enabled"),
        ({"parallelRunFailureThreshold": {"percentage": 15}}, "parallelRunFailureThreshold.percentage"),
    ],
)
def test_settings_that_are_none(parts, field):
    assert settings(**parts)[1] == [f"alertSettings.{field}"]


def test_what_others_wrote_is_shown_in_the_nearest_words():
    kept = alert_settings.defaults()
    other = Escalation(failures=9, repeat_interval_ms=12 * MINUTE, repeat_limit=40)
    found = alert_settings.shown(kept, other)
    assert found["runBasedEscalation"] == {"failedRunThreshold": 5}
    assert found["reminders"] == {"amount": 5, "interval": 10}
    timed = alert_settings.shown(kept, Escalation(delay_ms=HOUR))
    assert (timed["escalationType"], timed["timeBasedEscalation"]) == ("TIME_BASED", {"minutesFailingThreshold": 30})
    assert alert_settings.shown(None, None) == kept


# -- whatever is sent

MEMBERS = (
    *BEAT,
    *INCIDENT,
    *("pingToken", "alertChannelId", "activated", "amount", "interval", "reminders", "key", "value", "goal"),
    *("runBasedEscalation", "timeBasedEscalation", "escalationType", "requiredOutcomes", "sslCertificates"),
)
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["hours", "null", "TIME_BASED", TOKEN]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=3), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted(schema.ATTRIBUTES)), ODD))
def test_whatever_is_sent_is_taken_or_refused(body):
    """What is taken can be kept as JSON, and is a problem or said, never neither."""
    said, problems = read(**body)
    told = {problem.field.partition(".")[0].partition("[")[0] for problem in problems.found}
    assert said.keys() | told == body.keys()
    assert not said.keys() & told
    msgspec.json.encode({name: value for name, value in said.items() if name != "heartbeat"})
    if beat := said.get("heartbeat"):
        assert 30 * SECOND <= beat.period.millis <= 365 * DAY
        assert beat.period.millis % SECOND == beat.grace.millis % SECOND == 0
    if found := said.get("alertSettings"):
        alert_settings.escalation_of(found)
