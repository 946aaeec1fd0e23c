"""Webhooks with forms from a real server to a real receiver: templates, signature, another try, and kill -9."""

import hashlib
import hmac
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.receiver import Arrived, Receiver
from support.server import Server

SETTINGS = {"TOCSIN_OUTGOING__ALLOWED_NETWORKS": "127.0.0.0/8", "TOCSIN_NOTIFY__FORM_RETRY_SECONDS": "0.05"}
TEMPLATE = '{"type": "{{ALERT_TYPE}}", "who": "{{{CHECK_NAME}}}", "tags": [{{#each TAGS}}"{{this}}"{{#unless @last}}, {{/unless}}{{/each}}]}'
ROUNDS = 8


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.start()
    yield made
    made.die()


@pytest.fixture
def telling(new_server: Callable[..., Server], receiver: Receiver) -> Server:
    server = new_server(environment=SETTINGS)
    server.start()
    server.call("PATCH", "/v1/projects/-/notificationLists/default", {"destinations": ["webhook:ops"]})
    return server


def channel(server: Server, receiver: Receiver, **form: Any) -> None:
    hook = receiver.destination.partition(":")[2]
    server.call("POST", "/v1/projects/-/channels?channelId=ops", {"url": f"{hook}/{{{{CHECK_TYPE}}}}", "form": form})


def report(server: Server, path: str) -> None:
    assert server.request("POST", f"/report/{path}", key=server.ingest_key)[0] == 200


def signature(secret: str, arrived: Arrived) -> str:
    return hmac.new(secret.encode(), arrived.body, hashlib.sha256).hexdigest()


def test_a_template_with_a_signature(telling: Server, receiver: Receiver) -> None:
    pair = {"key": "X-{{CHECK_TYPE}}", "value": "{{ALERT_TYPE}}"}
    query = {"key": "q", "value": '{{moment STARTED_AT "YYYY"}}'}
    form = {"method": "PUT", "template": TEMPLATE, "headers": [pair], "queryParameters": [query], "secret": "shared"}
    channel(telling, receiver, **form)
    telling.create_monitor("backup", displayName="Back & <up>", tags=["team:core", "nightly"])
    begun = time.time()
    report(telling, "backup/fail")
    (alert,) = receiver.wait_for(1)
    report(telling, "backup")
    recovery = receiver.wait_for(2)[1]
    year = time.gmtime(begun).tm_year
    assert (alert.method, alert.path) == ("PUT", f"/hook/HEARTBEAT?q={year}")
    assert json.loads(alert.body) == {
        "type": "ALERT_FAILURE",
        "who": "Back & <up>",
        "tags": ["team:core", "nightly"],
    }
    assert json.loads(recovery.body)["type"] == "ALERT_RECOVERY"
    for arrived, kind in ((alert, "ALERT_FAILURE"), (recovery, "ALERT_RECOVERY")):
        assert arrived.headers["x-heartbeat"] == kind
        assert arrived.headers["content-type"] == "application/json"
        assert arrived.headers["x-checkly-signature"] == signature("shared", arrived)
        assert begun - 1 <= int(arrived.headers["x-checkly-timestamp"]) / 1000 <= time.time() + 1


def test_without_a_template_the_variables_go_out_unsigned(telling: Server, receiver: Receiver) -> None:
    channel(telling, receiver)
    made = telling.create_monitor("backup", displayName="Backup")
    report(telling, "backup/fail?message=disk+full")
    (alert,) = receiver.wait_for(1)
    assert "x-checkly-signature" not in alert.headers
    said = json.loads(alert.body)
    uid = made["uid"].replace("-", "")
    assert said["CHECK_ID"].replace("-", "") == uid
    (check_in,) = telling.check_ins("backup")
    assert said["CHECK_RESULT_ID"].replace("-", "") == check_in["name"].rpartition("/")[2].replace("-", "")
    assert said["RESULT_LINK"].endswith(f"/heartbeats/{said['CHECK_ID']}/results/{said['CHECK_RESULT_ID']}")
    assert said["CHECK_ERROR_MESSAGE"].endswith("disk full")
    assert (said["ALERT_TITLE"], said["IS_REMINDER"], said["TAGS"]) == ('Check "Backup" has failed', False, [])


def test_what_is_not_taken_is_tried_again_five_times(telling: Server, receiver: Receiver) -> None:
    channel(telling, receiver, secret="shared", template=TEMPLATE)
    telling.create_monitor("job")
    receiver.statuses += [404, 500, 400, 429, 503]
    report(telling, "job/fail")
    taken = receiver.wait_for(6)
    assert [one.status for one in taken] == [404, 500, 400, 429, 503, 200]
    assert len({(one.headers["idempotency-key"], one.body) for one in taken}) == 1
    receiver.statuses += [500] * 7
    report(telling, "job")
    (dead,) = telling.until("/v1/projects/-/notices?states=STATE_DEAD", "notices")
    assert [one.status for one in receiver.all[6:]] == [500] * 6
    assert "answered 500" in json.dumps(dead)


def test_many_at_once_each_have_a_request_of_their_own(telling: Server, receiver: Receiver) -> None:
    channel(telling, receiver, template="{{{CHECK_NAME}}}")
    many = 30
    for number in range(many):
        schedule = {"interval": {"count": 2, "unit": "UNIT_SECOND"}}
        fields = {"tolerance": {"margin": "0s"}, "expectFrom": "EXPECT_FROM_CREATION"}
        telling.create_monitor(f"m-{number}", schedules=[schedule], **fields)
    assert {one.body for one in receiver.wait_for(many)} >= {f"m-{number}".encode() for number in range(many)}


def test_a_template_that_cannot_be_read_is_refused(telling: Server, receiver: Receiver) -> None:
    body = {"url": "https://example.org/", "form": {"template": "{{#if A}}\nnever ends"}}
    status, _, content = telling.request("POST", "/v1/projects/-/channels?channelId=ops", body)
    assert status == 400
    assert b"channel.form.template" in content
    assert b"line 1: the block 'if' does not end" in content


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_incident_is_told_whoever_dies(new_server: Callable[..., Server], receiver: Receiver) -> None:
    server = new_server(environment={**SETTINGS, "TOCSIN_NOTIFY__FORM_RETRIES": "1000"})
    server.start()
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    server.call("PATCH", "/v1/projects/-/notificationLists/default", {"destinations": ["webhook:ops"]})
    channel(server, receiver, template="{{ALERT_TYPE}} {{{CHECK_NAME}}} {{CHECK_RESULT_ID}}", secret="shared")
    monitors = [f"job-{number}" for number in range(5)]
    for monitor in monitors:
        server.create_monitor(monitor, tolerance={"maxRuntime": "0s"})
    for number in range(ROUNDS):
        for monitor in chance.sample(monitors, k=chance.randint(1, len(monitors))):
            report(server, f"{monitor}/fail")
            if chance.random() < 0.7:
                report(server, monitor)
        receiver.statuses += chance.choices([200, 503, 404], k=2)
        time.sleep(chance.uniform(0, 0.15))  # a random moment is the point
        if number % 3 == 1:
            receiver.die()
        server.kill()
        if number % 3 == 2:
            receiver.start()
        server.start()
    receiver.die()
    receiver.start()
    for monitor in monitors:
        report(server, monitor)
    judge(server, receiver)


def judge(server: Server, receiver: Receiver) -> None:
    """Each notice that was stored has arrived and been taken, and each arrived under one key, with one body."""
    end = time.monotonic() + 60
    while server.get("/v1/projects/-/notices?states=STATE_PENDING&pageSize=1")["notices"]:
        assert time.monotonic() < end, "notices wait for ever"
        time.sleep(0.02)
    stored = server.get("/v1/projects/-/notices?pageSize=1000")["notices"]
    incidents = server.get("/v1/projects/-/incidents?pageSize=1000")["incidents"]
    assert {(one["incident"], one["sequence"]) for one in stored} == {
        (incident["name"], sequence) for incident in incidents for sequence in (1, 2)
    }
    assert {one["state"] for one in stored} == {"STATE_SENT"}
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for arrived in receiver.all:
        assert arrived.headers["x-checkly-signature"] == signature("shared", arrived)
        if arrived.status == 200:
            bodies[arrived.headers["idempotency-key"]].add(arrived.body)
    assert len(bodies) == len(stored) > ROUNDS
    assert {len(found) for found in bodies.values()} == {1}
    print(len(receiver.all), "requests for", len(stored), "notices")
