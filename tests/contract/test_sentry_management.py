"""Sentry's management API against a whole server: every call, the shapes, the errors, the keys, the pages."""

import json
import random
import re
import subprocess
import sys
import time
import uuid
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

CRONTAB = {"schedule_type": "crontab", "schedule": "0 * * * *"}
HOUR = 3_600


OPENED: list[httpx.Client] = []


@pytest.fixture(scope="module", autouse=True)
def closed_clients():
    yield
    for client in OPENED:
        client.close()
    OPENED.clear()


class Api:
    """The calls of one project, by a key."""

    def __init__(self, server, key: str, scope: str = "organizations/tocsin") -> None:
        self.server = server
        self.key = key
        self.base = f"{server.http_url}/api/0/{scope}/"
        self.http = httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=30)
        OPENED.append(self.http)

    def call(self, method, path, expect=200, /, json=None, **params):
        answer = self.http.request(method, f"{self.base}{path}", params=params or None, json=json)
        assert answer.status_code == expect, (answer.status_code, answer.text)
        return answer

    def wait_until_known(self):
        """The server reads keys of another process within two seconds."""
        until = time.monotonic() + 10
        while self.http.get(f"{self.base}monitors/").status_code == 401:
            assert time.monotonic() < until
            time.sleep(0.05)

    def get(self, path, /, **params):
        return self.call("GET", path, **params).json()

    def create(self, name, expect=201, /, **fields):
        body = {"project": self.server.project_id, "name": name, "config": CRONTAB, **fields}
        return self.call("POST", "monitors/", expect, json=body).json()

    def check_in(self, slug, status, **fields):
        """By the SDK's road, with the ingest key."""
        url = f"{self.server.http_url}/api/{self.server.project_id}/cron/{slug}/{self.server.ingest_key}/"
        answer = self.http.post(url, json={"status": status, **fields}, headers={"Authorization": ""})
        assert answer.status_code == 202, answer.text

    def walk(self, url):
        """All pages from an address on, by the links alone, forward and then back."""
        seen, pages = [], []
        while url:
            answer = self.http.get(url)
            assert answer.status_code == 200, answer.text
            pages.append(answer)
            seen.append(answer.json())
            url = _link(answer, "next")
        back, url = [], _link(pages[-1], "previous")
        while url:
            answer = self.http.get(url)
            back.append(answer.json())
            url = _link(answer, "previous")
        assert back[::-1] == seen[:-1]
        return [row for page in seen for row in page]


def _link(answer, rel):
    for target, params in re.findall(r"<([^>]*)>((?:; \w+=\"[^\"]*\")+)", answer.headers["link"]):
        found = dict(re.findall(r'(\w+)="([^"]*)"', params))
        if found["rel"] == rel:
            assert parse_qs(urlsplit(target).query)["cursor"] == [found["cursor"]]
            assert re.fullmatch(r"[^:]+:\d+:[01]", found["cursor"])
            return target if found["results"] == "true" else None
    raise AssertionError(f"no {rel} in {answer.headers['link']}")


def _fresh(word="job"):
    return f"{word}-{uuid.uuid4().hex[:10]}"


def _instant(text):
    assert text.endswith("Z")
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture(scope="module")
def api(server):
    return Api(server, server.admin_key)


@pytest.fixture(scope="module")
def read_key(server):
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "tocsin",
            "keys",
            "create",
            "--project",
            "default",
            "--scope",
            "read",
            "--data",
            str(server.data),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    key = re.search(r"\b[0-9a-f]{32}\b", made.stdout)[0]
    Api(server, key).wait_until_known()
    return key


# --- create and retrieve


def test_a_monitor_is_made_and_shown(api, server):
    name = f"My Fancy Job! {uuid.uuid4().hex[:8]}"
    made = api.create(
        name,
        owner="user:ann@example.com",
        isMuted=True,
        config={
            "schedule_type": "interval",
            "schedule": [2, "hour"],
            "checkin_margin": 5,
            "max_runtime": 60,
            "timezone": "Europe/Vienna",
            "failure_issue_threshold": 3,
            "recovery_threshold": 2,
        },
        alertRule={"targets": [{"target_identifier": 7, "target_type": "Team"}], "environment": "production"},
    )
    slug = name.lower().replace("!", "").replace(" ", "-")
    assert str(uuid.UUID(made["id"])) == made["id"]
    assert abs(_instant(made["dateCreated"]) - datetime.now().timestamp()) < 60
    (environment,) = made.pop("environments")
    assert {**made, "id": "", "dateCreated": ""} == {
        "id": "",
        "name": name,
        "slug": slug,
        "status": "active",
        "isMuted": True,
        "isUpserting": False,
        "dateCreated": "",
        "owner": {"type": "user", "id": "ann@example.com", "name": "ann@example.com", "email": "ann@example.com"},
        "project": {"id": str(server.project_id), "slug": "default", "name": "default"},
        "config": {
            "schedule_type": "interval",
            "schedule": [2, "hour"],
            "checkin_margin": 5,
            "max_runtime": 60,
            "timezone": "Europe/Vienna",
            "failure_issue_threshold": 3,
            "recovery_threshold": 2,
            "alert_rule_id": None,
        },
        "alertRule": {"targets": [{"targetIdentifier": 7, "targetType": "Team"}], "environment": "production"},
    }
    assert {**environment, "dateCreated": ""} == {
        "name": "production",
        "status": "active",
        "isMuted": True,
        "dateCreated": "",
        "lastCheckIn": None,
        "nextCheckIn": None,
        "nextCheckInLatest": None,
        "activeIncident": None,
    }
    for reference in (made["id"], made["id"].replace("-", ""), made["id"].upper(), slug):
        assert api.get(f"monitors/{reference}/")["id"] == made["id"]


def test_a_slug_that_looks_like_a_uuid_is_found(api):
    slug = str(uuid.uuid4())
    made = api.create("Seed", slug=slug)
    assert made["slug"] == slug
    assert api.get(f"monitors/{slug}/")["id"] == made["id"] != slug


def test_snake_case_and_the_form_of_sdks_are_taken(api, server):
    slug = _fresh()
    made = api.create(
        "Snake",
        project="default",
        slug=slug,
        is_muted=True,
        alert_rule={"targets": []},
        config={"schedule": {"type": "interval", "value": 3, "unit": "day"}, "checkinMargin": 0, "max_runtime": None},
    )
    assert made["isMuted"]
    assert made["alertRule"] == {"targets": [], "environment": None}
    assert made["config"] == {
        "schedule_type": "interval",
        "schedule": [3, "day"],
        "checkin_margin": 1,
        "max_runtime": 30,
        "timezone": "UTC",
        "failure_issue_threshold": 1,
        "recovery_threshold": 1,
        "alert_rule_id": None,
    }
    assert api.create("Nick", config={"schedule_type": "crontab", "schedule": "@daily"})["config"]["schedule"] == (
        "0 0 * * *"
    )


def test_every_bad_field_is_told_at_once(api):
    found = api.create(
        " ",
        400,
        slug="123",
        status="paused",
        isMuted="yes",
        owner="bob",
        project="another",
        alertRule=3,
        config={
            "schedule_type": "crontab",
            "schedule": "61 * * * *",
            "checkin_margin": 40_321,
            "max_runtime": 0,
            "timezone": "Europe/Nowhere",
            "failure_issue_threshold": 721,
            "recovery_threshold": 1.5,
        },
    )
    assert set(found) == {"name", "slug", "status", "isMuted", "owner", "project", "alertRule", "config"}
    inside = {
        "schedule",
        "checkin_margin",
        "max_runtime",
        "timezone",
        "failure_issue_threshold",
        "recovery_threshold",
    }
    assert set(found["config"]) == inside
    texts = [*found["config"].values(), *(value for name, value in found.items() if name != "config")]
    assert all(isinstance(text, list) and text and all(isinstance(one, str) for one in text) for text in texts)
    assert api.call("POST", "monitors/", 400, json={}).json().keys() == {"name", "config"}


@pytest.mark.parametrize(
    ("slug", "good"),
    [("123", False), ("UPPER", False), ("a b", False), ("x" * 51, False), ("-", True), ("12a", True), ("a_b-c", True)],
)
def test_slugs(api, slug, good):
    unique = slug if not good else f"{slug}{uuid.uuid4().hex[:8]}"
    found = api.create("Slug", 201 if good else 400, slug=unique)
    assert found["slug"] == (unique if good else found["slug"])


def test_a_taken_slug_is_refused_and_a_taken_name_gets_another(api):
    first = api.create(_fresh("Same"))
    assert api.create("Other", 400, slug=first["slug"]).keys() == {"slug"}
    second = api.create(first["name"])
    assert second["slug"].startswith(first["slug"][:40])
    assert second["slug"] != first["slug"]
    digits = api.create("2024")
    assert not digits["slug"].isdecimal()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"name": "\xff"}', b"[" * 100_000, b'{"config":' * 50_000])
def test_bodies_that_are_no_object(api, body):
    answer = api.http.post(f"{api.base}monitors/", content=body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["detail"]


def test_bodies_are_bounded(api):
    assert api.http.post(f"{api.base}monitors/", content=b" " * (1 << 20) + b"{}").status_code == 413
    deep = b'{"name": "x", "config": {"schedule_type": "crontab", "schedule": ' + b"[" * 50_000 + b"}}"
    assert api.http.post(f"{api.base}monitors/", content=deep).status_code == 400


# --- update and delete


def test_an_update_is_partial(api):
    made = api.create(_fresh(), config={**CRONTAB, "timezone": "Europe/Vienna", "checkin_margin": 9}, owner="team:ops")
    path = f"monitors/{made['slug']}/"
    named = api.call("PUT", path, json={"name": "Renamed"}).json()
    assert named == {**made, "name": "Renamed"}
    moved = api.call("PUT", path, json={"config": {"timezone": "Asia/Tokyo"}}).json()
    assert moved["config"] == {**made["config"], "timezone": "Asia/Tokyo"}
    other = api.call("PUT", path, json={"config": {"schedule": [5, "minute"], "max_runtime": 7}}).json()
    assert other["config"] == {
        **moved["config"],
        "schedule_type": "interval",
        "schedule": [5, "minute"],
        "max_runtime": 7,
    }
    off = api.call(
        "PUT", path, json={"status": "disabled", "isMuted": True, "owner": None, "slug": made["slug"]}
    ).json()
    assert (off["status"], off["isMuted"], off["owner"]) == ("disabled", True, None)
    assert {environment["status"] for environment in off["environments"]} == {"disabled"}
    on = api.call("PUT", path, json={"status": "active", "is_muted": False, "alertRule": None}).json()
    assert (on["status"], on["isMuted"]) == ("active", False)
    back = api.call("PUT", path, json=on | {"project": on["project"]["slug"], "owner": "team:ops"})
    assert back.json() == on | {"owner": made["owner"]}


def test_an_update_may_neither_move_nor_rename(api):
    made = api.create(_fresh())
    found = api.call(
        "PUT", f"monitors/{made['id']}/", 400, json={"slug": "another", "project": "999", "name": "x" * 129}
    )
    assert found.json().keys() == {"slug", "project", "name"}
    assert api.get(f"monitors/{made['id']}/") == made


def test_a_deleted_monitor_is_gone_and_its_slug_free(api):
    made = api.create(_fresh())
    assert api.call("DELETE", f"monitors/{made['slug']}/", 202).content == b""
    api.call("GET", f"monitors/{made['id']}/", 404)
    api.call("DELETE", f"monitors/{made['id']}/", 404)
    assert api.create("Again", slug=made["slug"])["id"] != made["id"]


def test_what_was_written_here_is_not_undone_by_an_upsert(api):
    slug = _fresh()
    upsert = {"monitor_config": {"schedule": {"type": "crontab", "value": "*/5 * * * *"}, "max_runtime": 10}}
    api.check_in(slug, "ok", **upsert)
    assert api.get(f"monitors/{slug}/")["isUpserting"] is True
    edited = api.call("PUT", f"monitors/{slug}/", json={"config": {"schedule": "0 4 * * *"}}).json()
    assert edited["isUpserting"] is False
    api.check_in(slug, "ok", **upsert)
    kept = api.get(f"monitors/{slug}/")
    assert kept["config"]["schedule"] == "0 4 * * *"
    assert kept["config"]["max_runtime"] == 10


def test_an_edit_moves_what_is_expected(api):
    """5.2: the schedule from the last check-in, the margin the latest time, the runtime open runs."""
    slug = _fresh()
    api.check_in(slug, "in_progress", monitor_config={"schedule": {"type": "crontab", "value": "0 0 1 1 *"}})

    def shown():
        (environment,) = api.get(f"monitors/{slug}/")["environments"]
        (run,) = api.get(f"monitors/{slug}/checkins/")
        return environment, run

    environment, run = shown()
    assert _instant(environment["nextCheckInLatest"]) == _instant(environment["nextCheckIn"]) + 60
    opened = _instant(run["dateInProgress"])
    assert 30 * 60 <= _instant(run["timeoutAt"]) - opened <= 31 * 60
    api.call("PUT", f"monitors/{slug}/", json={"config": {"checkin_margin": 7, "max_runtime": 90}})
    later, run = shown()
    assert later["nextCheckIn"] == environment["nextCheckIn"]
    assert _instant(later["nextCheckInLatest"]) == _instant(later["nextCheckIn"]) + 7 * 60
    assert 90 * 60 <= _instant(run["timeoutAt"]) - opened <= 91 * 60
    api.call("PUT", f"monitors/{slug}/", json={"config": {"schedule": [1, "hour"]}})
    moved, _ = shown()
    assert 59 * 60 <= _instant(moved["nextCheckIn"]) - _instant(moved["lastCheckIn"]) <= HOUR


def test_bulk(api):
    one, two, three = (api.create(_fresh()) for _ in range(3))
    nobody = str(uuid.uuid4())
    body = {"ids": [one["id"], two["id"], nobody], "isMuted": True, "status": "disabled"}
    found = api.call("PUT", "monitors/", json=body).json()
    assert {row["id"] for row in found["updated"]} == {one["id"], two["id"]}
    assert all(row["isMuted"] and row["status"] == "disabled" for row in found["updated"])
    assert [row["id"] for row in found["errored"]] == [nobody]
    back = api.call("PUT", "monitors/", json={"ids": [one["id"]], "isMuted": False}).json()
    assert [(row["isMuted"], row["status"]) for row in back["updated"]] == [(False, "disabled")]
    assert api.get(f"monitors/{three['id']}/") == three
    assert api.call("PUT", "monitors/", 400, json={"ids": [], "status": 5}).json().keys() == {"ids", "status"}
    assert api.call("PUT", "monitors/", 400, json={"ids": "x"}).json() == {"ids": ["must be a list of texts"]}


# --- environments


def test_environments_are_muted_and_deleted_one_by_one(api):
    slug = _fresh()
    config = {"schedule": {"type": "interval", "value": 1, "unit": "day"}}
    for environment in ("production", "staging", "qa"):
        api.check_in(slug, "ok", environment=environment, monitor_config=config)
    twin = Api(api.server, api.key, "projects/tocsin/default")

    def mutes():
        found = api.get(f"monitors/{slug}/")
        return found["isMuted"], {one["name"]: one["isMuted"] for one in found["environments"]}

    muted = twin.call("PUT", f"monitors/{slug}/environments/staging", json={"isMuted": True}).json()
    assert (muted["name"], muted["isMuted"], muted["status"]) == ("staging", True, "ok")
    assert mutes() == (False, {"production": False, "qa": False, "staging": True})
    for environment in ("production", "qa"):
        twin.call("PUT", f"monitors/{slug}/environments/{environment}", json={"isMuted": True})
    assert mutes()[0] is True  # all of them are
    api.call("PUT", f"monitors/{slug}/", json={"isMuted": False})
    assert mutes() == (False, {"production": False, "qa": False, "staging": False})
    api.call("PUT", f"monitors/{slug}/", json={"isMuted": True})
    twin.call("PUT", f"monitors/{slug}/environments/qa", json={"isMuted": False})
    assert mutes() == (False, {"production": True, "qa": False, "staging": True})

    assert [one["name"] for one in api.get(f"monitors/{slug}/", environment="qa")["environments"]] == ["qa"]
    assert twin.call("DELETE", f"monitors/{slug}/environments/qa", 202).content == b""
    api.call("DELETE", f"monitors/{slug}/?environment=staging", 202)
    assert list(mutes()[1]) == ["production"]
    twin.call("PUT", f"monitors/{slug}/environments/qa", 404, json={"isMuted": True})
    twin.call("DELETE", f"monitors/{slug}/environments/qa", 404)
    api.call("DELETE", f"monitors/{slug}/?environment=production&environment=nowhere", 404)
    assert list(mutes()[1]) == ["production"]
    assert twin.call("PUT", f"monitors/{slug}/environments/production", 400, json={}).json().keys() == {"isMuted"}


@pytest.mark.parametrize(
    "query",
    ["environment=", "environment", "environment=%20", "environment=production&environment=", "environments=staging"],
)
def test_a_deletion_is_never_wider_than_it_says(api, query):
    slug = api.create(_fresh())["slug"]
    told = api.call("DELETE", f"monitors/{slug}/?{query}", 400).json()["detail"]
    assert told.startswith("environment: ")
    assert [one["name"] for one in api.get(f"monitors/{slug}/")["environments"]] == ["production"]


def test_a_configuration_that_is_sent_back_changes_nothing(api, server):
    """Not a margin in seconds, not a missing time limit; and nothing of it is locked."""
    for slug, tolerance in (("odd", {"margin": "90s", "maxRuntime": "0s"}), ("even", {"margin": "0s"})):
        slug = _fresh(slug)
        path = f"/v1/projects/-/monitors/{slug}"
        made = {"schedules": [{"cron": {"expression": "0 * * * *"}}], "tolerance": tolerance}
        url = f"{server.http_url}/v1/projects/-/monitors?monitorId={slug}"
        answer = api.http.post(url, json=made)
        assert answer.status_code == 200, answer.text
        before = api.http.get(f"{server.http_url}{path}").json()
        shown = api.get(f"monitors/{slug}/")["config"]
        assert api.call("PUT", f"monitors/{slug}/", json={"config": shown}).json()["config"] == shown
        after = api.http.get(f"{server.http_url}{path}").json()
        assert (after["tolerance"], after["schedules"]) == (before["tolerance"], before["schedules"])
        assert after.get("locks") == before.get("locks")


@pytest.mark.parametrize(
    "targets",
    [
        "x",
        ["x"],
        [{"targetType": "Team", "targetIdentifier": True}],
        [{"targetType": "Team", "targetIdentifier": ""}],
        [{"targetType": "Team", "targetIdentifier": 1.5}],
        [{"targetType": "Team", "targetIdentifier": 10**30}],
        [{"targetType": "Team"}],
        [{"targetType": ["Team"], "targetIdentifier": 1}],
        [{"targetIdentifier": 1}],
        [{"targetType": "Team", "targetIdentifier": 1}] * 101,
    ],
)
def test_targets_that_are_none(api, targets):
    made = api.create(_fresh(), 400, alertRule={"targets": targets})
    assert made.keys() == {"alertRule"}
    (told,) = made["alertRule"]["targets"]
    assert told


def test_an_unknown_path_is_told_in_the_same_shape(api, server):
    for path in ("/api/0/nonsense/", "/api/0/organizations/tocsin/nonsense", f"/api/{server.project_id}/nonsense/"):
        answer = api.http.get(f"{server.http_url}{path}")
        assert answer.status_code == 404
        assert answer.json().keys() == {"detail"}
        assert path in answer.json()["detail"]
        head = api.http.head(f"{server.http_url}{path}")
        assert (head.status_code, head.headers["content-type"]) == (404, "application/json")
        assert head.headers["content-length"] == answer.headers["content-length"]
    assert api.http.get(f"{server.http_url}/apis/nonsense").json().keys() == {"error"}


def test_states_of_environments_and_the_incident(api):
    slug = _fresh()
    config = {"schedule": {"type": "interval", "value": 1, "unit": "day"}}
    api.check_in(slug, "ok", monitor_config=config)
    (environment,) = api.get(f"monitors/{slug}/")["environments"]
    assert (environment["status"], environment["activeIncident"]) == ("ok", None)
    api.check_in(slug, "error")
    (environment,) = api.get(f"monitors/{slug}/")["environments"]
    assert environment["status"] == "error"
    incident = environment["activeIncident"]
    assert incident.keys() == {"startingTimestamp", "resolvingTimestamp", "brokenNotice"}
    assert (incident["resolvingTimestamp"], incident["brokenNotice"]) == (None, None)
    assert _instant(environment["nextCheckInLatest"]) - _instant(environment["nextCheckIn"]) == 60
    api.check_in(slug, "ok")
    (environment,) = api.get(f"monitors/{slug}/")["environments"]
    assert (environment["status"], environment["activeIncident"]) == ("ok", None)


# --- check-ins and stats


def test_a_check_in_keeps_the_configuration_that_it_was_recorded_under(api):
    slug, run = _fresh(), str(uuid.uuid4())
    hourly = {"schedule": {"type": "crontab", "value": "0 * * * *"}, "checkin_margin": 7}
    daily = {"schedule": {"type": "crontab", "value": "0 5 * * *"}, "timezone": "Europe/Vienna"}
    api.check_in(slug, "in_progress", check_in_id=run, monitor_config=hourly)
    api.check_in(slug, "ok", check_in_id=str(uuid.uuid4()), monitor_config=daily)
    api.check_in(slug, "error", check_in_id=run)  # closed under the new one, recorded under the old
    second, first = api.get(f"monitors/{slug}/checkins/")
    assert (first["monitorConfig"]["schedule"], first["monitorConfig"]["checkin_margin"]) == ("0 * * * *", 7)
    assert first["monitorConfig"]["timezone"] == "UTC"
    now = api.get(f"monitors/{slug}/")["config"]
    assert (now["schedule"], now["checkin_margin"], now["timezone"]) == ("0 5 * * *", 7, "Europe/Vienna")
    assert second["monitorConfig"] == now


def test_check_ins(api):
    slug, trace = _fresh(), uuid.uuid4().hex
    config = {"schedule": {"type": "crontab", "value": "0 0 1 1 *"}}
    ids = [str(uuid.uuid4()) for _ in range(3)]
    api.check_in(slug, "ok", check_in_id=ids[0], monitor_config=config, duration=1.5)
    api.check_in(slug, "error", check_in_id=ids[1], environment="staging", contexts={"trace": {"trace_id": trace}})
    api.check_in(slug, "in_progress", check_in_id=ids[2])
    newest, failed, good = api.get(f"monitors/{slug}/checkins/")
    assert [one["id"] for one in (newest, failed, good)] == ids[::-1]
    assert [one["status"] for one in (newest, failed, good)] == ["in_progress", "error", "ok"]
    assert newest.keys() == {
        *("id", "environment", "status", "duration", "dateCreated", "dateAdded", "dateUpdated", "dateClock"),
        *("dateInProgress", "expectedTime", "timeoutAt", "traceId", "monitorConfig"),
    }
    assert good["duration"] == 1500
    assert good["dateInProgress"] is None
    assert good["expectedTime"] is None  # the first run of its environment
    assert newest["dateInProgress"] == newest["dateAdded"] == newest["dateCreated"]
    assert newest["expectedTime"].endswith("-01-01T00:00:00Z")
    assert newest["timeoutAt"].endswith(":00Z")
    assert (failed["environment"], failed["traceId"], failed["timeoutAt"]) == ("staging", trace, None)
    assert newest["monitorConfig"] == api.get(f"monitors/{slug}/")["config"]
    assert newest["dateClock"].endswith(":00Z")
    assert {one["groups"] == [] for one in api.get(f"monitors/{slug}/checkins/", expand="groups")} == {True}

    def found(**params):
        return [one["id"] for one in api.get(f"monitors/{slug}/checkins/", **params)]

    assert found(environment="staging") == [ids[1]]
    assert found(environment=["staging", "production"]) == ids[::-1]
    assert found(status="error") == [ids[1]]
    cursor = parse_qs(urlsplit(_link(api.call("GET", f"monitors/{slug}/checkins/", per_page=1), "next")).query)[
        "cursor"
    ]
    assert found(cursor=cursor) == ids[1::-1]
    assert api.call("GET", f"monitors/{slug}/checkins/", 400, cursor=cursor, status="ok").json().keys() == {"detail"}
    api.call("GET", f"monitors/{slug}/checkins/", 400, cursor=cursor, environment="staging")
    assert found(statsPeriod="24h") == ids[::-1]
    assert found(start="2020-01-01T00:00:00", end="2020-01-02T00:00:00Z") == []
    assert found(start="2020-01-01T00:00:00Z", end="2199-01-01") == ids[::-1]
    for params in (
        {"statsPeriod": "soon"},
        {"statsPeriod": "1d", "start": "2020-01-01", "end": "2020-01-02"},
        {"start": "2020-01-01"},
        {"start": "2020-01-02", "end": "2020-01-01"},
        {"status": "great"},
        {"per_page": "101"},
        {"per_page": "0"},
        {"cursor": "0:0:9"},
        {"cursor": "abc:0:0"},
    ):
        assert list(api.call("GET", f"monitors/{slug}/checkins/", 400, **params).json()) == ["detail"]
    pages = api.walk(f"{api.base}monitors/{slug}/checkins/?per_page=2&statsPeriod=1d")
    assert [one["id"] for one in pages] == ids[::-1]


def test_a_failed_run_names_the_error_of_its_trace(api, server):
    slug, trace = _fresh(), uuid.uuid4().hex
    item = {
        "level": "error",
        "exception": {"values": [{"type": "ValueError", "value": "no disk"}]},
        "contexts": {"trace": {"trace_id": trace}},
    }
    event = "\n".join(json.dumps(line) for line in ({"event_id": uuid.uuid4().hex}, {"type": "event"}, item))
    answer = httpx.post(
        f"{server.http_url}/api/{server.project_id}/envelope/?sentry_key={server.ingest_key}", content=event
    )
    assert answer.status_code == 200
    config = {"schedule": {"type": "interval", "value": 1, "unit": "day"}}
    api.check_in(slug, "error", monitor_config=config, contexts={"trace": {"trace_id": trace}})
    (run,) = api.get(f"monitors/{slug}/checkins/", expand="groups")
    (group,) = run["groups"]
    assert (group["id"], group["shortId"], group["value"]) == (trace, "ValueError", "no disk")


def test_stats(api):
    slug = _fresh()
    config = {"schedule": {"type": "interval", "value": 1, "unit": "day"}}
    for status, environment, duration in (
        ("ok", "production", 2),
        ("ok", "production", 4),
        ("error", "staging", None),
        ("in_progress", "production", None),
    ):
        body = {} if duration is None else {"duration": duration}
        api.check_in(slug, status, environment=environment, monitor_config=config, check_in_id=uuid.uuid4().hex, **body)
    now = int(datetime.now().timestamp())
    rows = api.get(f"monitors/{slug}/stats/", since=now - 2 * HOUR, until=now + HOUR, resolution="1h")
    assert [row["ts"] % HOUR for row in rows] == [0] * len(rows)
    assert len(rows) in (3, 4)
    assert all(row.keys() == {"ts", "ok", "error", "missed", "timeout", "unknown", "duration"} for row in rows)
    assert [sum(row[word] for row in rows) for word in ("ok", "error", "missed")] == [2, 1, 0]
    assert [row["duration"] for row in rows if row["ok"]][:1] in ([3000], [2000])
    quiet = next(row for row in rows if not row["ok"])
    assert quiet["duration"] is None
    staging = api.get(f"monitors/{slug}/stats/", environment="staging", rollup="3600")
    assert [sum(row[word] for row in staging) for word in ("ok", "error")] == [0, 1]
    assert sum(row["ok"] for row in api.get(f"monitors/{slug}/stats/")) == 2
    many = api.get("monitors-stats/", monitor=[slug], since=now - HOUR, until=now + HOUR, resolution="1d")
    ((identity, series),) = many.items()
    assert identity == api.get(f"monitors/{slug}/")["id"]
    counted = {}
    for _, environments in series:
        for name, states in environments.items():
            for state, number in states.items():
                counted[name, state] = counted.get((name, state), 0) + number
    assert counted["production", "ok"] == 2
    assert counted["production", "in_progress"] == 1
    assert counted["staging", "error"] == 1
    for params in ({"resolution": "1s", "since": 0}, {"resolution": "x"}, {"since": "x"}, {"since": now, "until": 5}):
        assert list(api.call("GET", f"monitors/{slug}/stats/", 400, **params).json()) == ["detail"]
    assert list(api.call("GET", "monitors-stats/", 400).json()) == ["detail"]


# --- processing errors


def test_processing_errors(api):
    slug, nobody, run = _fresh(), _fresh("nobody"), uuid.uuid4().hex
    config = {"schedule": {"type": "interval", "value": 1, "unit": "day"}}
    api.check_in(slug, "ok", check_in_id=run, monitor_config=config)
    api.check_in(slug, "ok", check_in_id=run)  # finished: 1
    api.check_in(slug, "error", check_in_id=run, environment="staging")  # elsewhere: 0
    api.check_in(nobody, "ok")  # 11
    twin = Api(api.server, api.key, "projects/tocsin/default")
    mismatch, finished = twin.get(f"monitors/{slug}/processing-errors/")
    assert [one["errors"][0]["type"] for one in (mismatch, finished)] == [0, 1]
    assert mismatch.keys() == {"id", "checkin", "errors"}
    assert mismatch["checkin"].keys() == {"ts", "partition", "message", "payload"}
    assert mismatch["checkin"]["payload"]["monitor_slug"] == slug
    assert mismatch["errors"][0]["existingEnvironment"] == "production"
    assert mismatch["errors"][0]["reason"]
    (unknown,) = twin.get(f"monitors/{nobody}/processing-errors/")
    assert unknown["errors"][0]["type"] == 11
    everything = [one["id"] for one in api.get("processing-errors/")]
    assert everything[:3] == [unknown["id"], mismatch["id"], finished["id"]]
    pages = api.walk(f"{api.base}monitors/{slug}/processing-errors/?per_page=1")
    assert pages == [mismatch, finished]

    api.call("DELETE", f"processing-errors/{finished['id']}/")
    assert twin.get(f"monitors/{slug}/processing-errors/") == [mismatch]
    twin.call("DELETE", f"monitors/{slug}/processing-errors/?errortype=1")
    assert twin.get(f"monitors/{slug}/processing-errors/") == [mismatch]
    twin.call("DELETE", f"monitors/{slug}/processing-errors/?errortype=0")
    assert twin.get(f"monitors/{slug}/processing-errors/") == []
    assert [one["id"] for one in twin.get("processing-errors/")][:1] == [unknown["id"]]
    for bad in ("", "?errortype=x", "?errortype=999"):
        twin.call("DELETE", f"monitors/{slug}/processing-errors/{bad}", 400)
    twin.call("DELETE", "processing-errors/nonsense/", 404)


# --- lists


def test_lists_are_narrowed_sorted_and_paged(api, new_server):
    server = new_server()
    server.start()
    mine = Api(server, server.admin_key)
    names = ["Zebra", "apple", "Mango", "berry", "cherry"]
    for index, name in enumerate(names):
        mine.create(name, slug=f"job-{index}", owner="team:ops" if index % 2 else "user:ann", isMuted=index == 2)
    mine.call("PUT", "monitors/job-0/", json={"status": "disabled", "owner": None})
    mine.check_in("job-3", "error", environment="staging")
    mine.check_in("job-4", "ok")

    def slugs(**params):
        first = f"{mine.base}monitors/?{httpx.QueryParams({'per_page': 2, **params})}"
        return [row["slug"].removeprefix("job-") for row in mine.walk(first)]

    assert slugs() == list("01234")
    assert slugs(asc=0) == list("43210")
    assert slugs(sort="name") == list("13420")
    assert slugs(sort="name", asc=0) == list("02431")
    assert slugs(sort="status") == list("34120")
    assert slugs(sort="muted") == list("01342")
    assert slugs(query="BERRY") == ["3"]
    assert slugs(query="name:zeb slug:job-0") == ["0"]
    assert slugs(query="status:error") == ["3"]
    assert slugs(query="status:disabled") == ["0"]
    assert slugs(query="status:active") == list("123")  # 3 has an environment without a verdict
    assert slugs(query="job nothing-like-it") == []
    assert slugs(owner="unassigned") == ["0"]
    assert slugs(owner=["user:ann", "team:ops"]) == list("1234")
    assert slugs(owner="myteams") == ["1", "3"]
    assert slugs(environment="staging") == ["3"]
    assert slugs(project="-1") == slugs(project="default") == slugs(project=str(server.project_id)) == list("01234")
    identity = mine.get("monitors/job-1/")["id"]
    assert slugs(query=f"id:{identity}") == slugs(query="id:job-1") == slugs(query=identity) == ["1"]
    (row,) = mine.get("monitors/", environment="staging")
    assert [environment["name"] for environment in row["environments"]] == ["staging"]
    mine.call("GET", "monitors/", 403, project="another")
    for params in ({"sort": "size"}, {"query": "status:great"}, {"per_page": "x"}, {"cursor": "x"}):
        assert list(mine.call("GET", "monitors/", 400, **params).json()) == ["detail"]
    token = mine.call("GET", "monitors/", per_page=2).headers["link"]
    cursor = re.search(r'rel="next".*cursor="([^"]+)"', token)[1]
    mine.call("GET", "monitors/", 400, cursor=cursor, sort="name")  # a cursor belongs to its list


def test_monitors_of_other_dialects_are_listed(api, server):
    """What Sentry cannot say is told in words, and an update that leaves it alone leaves it alone."""
    slug = _fresh("native")
    schedules = [
        {"cron": {"expression": "30 0 9 * * *"}, "timeZone": "Europe/Vienna"},
        {"rrule": {"rule": "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9"}, "timeZone": "Europe/Vienna"},
    ]
    server.create_monitor(slug, schedules=schedules, tolerance={"margin": "90s", "maxRuntime": "0s"})
    shown = api.get(f"monitors/{slug}/")
    assert shown["config"]["schedule_type"] == "crontab"
    assert " " in shown["config"]["schedule"]
    assert (shown["config"]["checkin_margin"], shown["config"]["max_runtime"]) == (2, None)
    assert shown["config"]["timezone"] == "Europe/Vienna"
    before = server.get(server.monitor_path(slug))["schedules"]
    config = {**shown["config"], "failure_issue_threshold": 2}
    api.call("PUT", f"monitors/{slug}/", json={"config": config})
    after = server.get(server.monitor_path(slug))
    assert after["schedules"] == before
    assert after["tolerance"]["failureThreshold"] == 2
    assert slug in [row["slug"] for row in api.get("monitors/", query=slug)]


# --- whatever is asked

_PATHS = (
    *(
        "monitors/",
        "monitors/%ff%00/",
        "monitors/x/checkins/",
        "monitors/x/stats/",
        "monitors-stats/",
        "monitors/a%2fb/",
    ),
    *(
        "processing-errors/",
        "processing-errors/%ff/",
        "monitors/x/processing-errors/",
        "monitors/x/environments/%ED%A0%80",
    ),
)
_NAMES = (
    *("query", "cursor", "per_page", "sort", "asc", "environment", "owner", "statsPeriod", "start", "end", "since"),
    *("until", "resolution", "errortype", "monitor", "status", "expand"),
)
_VALUES = (
    *(
        "",
        "0",
        "-1",
        "99999999999999",
        "1e400",
        "nan",
        "%ff",
        "%00",
        "a" * 3000,
        "'",
        '"',
        "2030-01-01",
        "status:",
        "10s",
    ),
    *("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "0:0:0", "%ED%A0%80", "*", "x", "1", "production"),
)
_BODIES = (
    *(b"null", b'{"name":1}', b'{"config":{"schedule":{"type":[]}}}', b'{"ids":["a",null]}', b'{"isMuted":true}'),
    *(
        b'{"ids":["\\u0000"],"isMuted":true}',
        b'{"name":"\\u0000","config":{"schedule":"* * * * *"}}',
        b'{"name":1e999}',
    ),
    *(b'{"config":{"timezone":"\\u0000"}}', b'{"config":{"checkin_margin":1e999}}', b'{"project":[[]],"config":[]}'),
    (
        b'{"name":"x","config":{"schedule":[1,"day"]},"alertRule":{"targets":[{"target_identifier":'
        b'123456789012345678901234567890,"target_type":"Team"}]}}'
    ),
)


def test_nothing_makes_it_fail(api):
    api.create("x", slug="x")
    chosen = random.Random(7)
    for _ in range(800):
        query = "&".join(f"{chosen.choice(_NAMES)}={chosen.choice(_VALUES)}" for _ in range(chosen.randrange(4)))
        method = chosen.choice(("GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"))
        body = chosen.choice(_BODIES) if method in ("POST", "PUT") else None
        url = f"{api.base}{chosen.choice(_PATHS)}?{query}"
        answer = api.http.request(method, url, content=body)
        assert answer.status_code < 500, (method, url, body, answer.text)
        assert answer.status_code < 400 or method == "HEAD" or answer.headers["content-type"] == "application/json"
    api.call("DELETE", "monitors/x/", 202)


# --- keys, organisation, paths


@pytest.mark.sqlite
def test_a_read_key_reads_and_an_ingest_key_does_nothing(api, server, read_key):
    made = api.create(_fresh())
    reader = Api(server, read_key)
    assert reader.get(f"monitors/{made['slug']}/") == made
    refused = reader.call("POST", "monitors/", 403, json={"name": "x"}).json()
    assert "admin" in refused["detail"]
    reader.call("DELETE", f"monitors/{made['slug']}/", 403)
    sender = Api(server, server.ingest_key)
    assert "read" in sender.call("GET", "monitors/", 403).json()["detail"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Bearer {'0' * 32}"}, {"Authorization": "Bearer"}])
def test_without_a_good_key_nothing_is_told(server, headers):
    for path in ("organizations/tocsin/monitors/", "organizations/other/monitors/", ""):
        answer = httpx.get(f"{server.http_url}/api/0/{path}", headers=headers)
        assert answer.status_code == 401
        assert list(answer.json()) == ["detail"]


def test_another_organization_or_project_is_not_here(api, server):
    for scope in ("organizations/other", "projects/other/default"):
        found = Api(server, api.key, scope).call("GET", "monitors/", 404).json()
        assert "dialects.sentry_organization" in found["detail"]
    assert list(Api(server, api.key, "projects/tocsin/other").call("GET", "monitors/", 403).json()) == ["detail"]
    for scope in (f"projects/tocsin/{server.project_id}", "projects/1/default", "organizations/1"):
        assert Api(server, api.key, scope).call("GET", "monitors/").status_code == 200


@pytest.mark.parametrize("scope", ["organizations/tocsin", "projects/tocsin/default"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_path_has_its_twin_with_and_without_the_last_slash(api, server, scope, slash):
    slug = api.create(_fresh())["slug"]
    twin = Api(server, api.key, scope)
    for path in (
        "monitors",
        f"monitors/{slug}",
        f"monitors/{slug}/checkins",
        f"monitors/{slug}/stats",
        f"monitors/{slug}/processing-errors",
        "processing-errors",
    ):
        twin.call("GET", f"{path}{slash}")
        assert twin.http.head(f"{twin.base}{path}{slash}").status_code == 200
        assert twin.http.options(f"{twin.base}{path}{slash}").status_code == 200
        assert list(twin.call("PATCH", f"{path}{slash}", 405).json()) == ["detail"]
    twin.call("PUT", f"monitors/{slug}/environments/production{slash}", json={"isMuted": True})
    twin.call("GET", f"monitors-stats{slash}", monitor=slug)
    twin.call("DELETE", f"processing-errors/{0:032x}{slash}")
    twin.call("DELETE", f"monitors/{slug}{slash}", 202)


def test_settings_name_the_organisation_the_prefix_and_the_address(new_server):
    server = new_server(
        environment={
            "TOCSIN_DIALECTS__SENTRY_ORGANIZATION": "acme",
            "TOCSIN_LISTEN__PATH_PREFIX": "/watch",
            "TOCSIN_LISTEN__PUBLIC_URL": "https://tocsin.example/watch",
        }
    )
    server.start()
    headers = {"Authorization": f"Bearer {server.admin_key}"}
    answer = httpx.get(f"{server.http_url}/watch/api/0/organizations/acme/monitors/?project=-1", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["link"].startswith(
        '<https://tocsin.example/watch/api/0/organizations/acme/monitors/?project=-1&cursor=0:0:1>; rel="previous"'
    )
    for path in ("/watch/api/0/nonsense/", "/watch/api/1/nonsense/", "/api/0/nonsense/"):
        answer = httpx.get(f"{server.http_url}{path}")
        assert (answer.status_code, answer.json()) == (404, {"detail": f"nothing is served at {path}"})


def test_what_the_command_line_asks_first(api, server):
    base = f"{server.http_url}/api/0"
    root = api.http.get(f"{base}/").json()
    assert "project:write" in root["auth"]["scopes"]
    (organization,) = api.http.get(f"{base}/organizations/?cursor=").json()
    assert organization["slug"] == "tocsin"
    assert api.http.get(f"{base}/organizations/tocsin/").json() == organization
    (project,) = api.http.get(f"{base}/organizations/tocsin/projects/?cursor=").json()
    assert (project["id"], project["slug"]) == (str(server.project_id), "default")
    assert api.http.get(f"{base}/projects/tocsin/default/").json() == project


@pytest.mark.sqlite
def test_a_project_sees_only_itself(api, server):
    made = api.create(_fresh())
    created = subprocess.run(
        [sys.executable, "-m", "tocsin", "projects", "create", _fresh("other"), "--json", "--data", str(server.data)],
        capture_output=True,
        text=True,
        check=True,
    )
    key = re.search(r'"admin_key": ?"([0-9a-f]{32})"', created.stdout)[1]
    other = Api(server, key)
    other.wait_until_known()
    assert other.get("monitors/") == []
    other.call("GET", f"monitors/{made['id']}/", 404)
    other.call("DELETE", f"monitors/{made['slug']}/", 404)
    found = other.call("PUT", "monitors/", json={"ids": [made["id"]], "status": "disabled"}).json()
    assert (found["updated"], len(found["errored"])) == ([], 1)
    assert api.get(f"monitors/{made['id']}/") == made


def test_the_limits_and_defaults_of_a_project_hold_here(new_server):
    server = new_server(environment={"TOCSIN_PROJECTS__MAX_MONITORS": "1", "TOCSIN_PROJECTS__MARGIN_SECONDS": "300"})
    server.start()
    mine = Api(server, server.admin_key)
    assert mine.create("One")["config"]["checkin_margin"] == 5
    assert list(mine.create("Two", 403)) == ["detail"]
    mine.call("DELETE", "monitors/one/", 202)
    assert mine.create("Two", config={**CRONTAB, "checkin_margin": None})["config"]["checkin_margin"] == 5
