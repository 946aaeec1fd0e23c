"""History, aggregates and metrics of Cronitor's API against a whole server, in the shapes that its clients read."""

import base64
import time
import uuid

import pytest

NUMBER = (int, float)


class Api:
    """Calls with a key as Cronitor's clients send it."""

    def __init__(self, server, key=None):
        self.server = server
        user = key if key is not None else server.admin_key
        self.headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:".encode()).decode()}

    def call(self, method, path, expect=200, body=None):
        import json

        status, _, content = self.server.request(method, path, body, key="", headers=self.headers)
        assert status == expect, (status, content)
        return json.loads(content) if content else None

    def get(self, path, expect=200):
        return self.call("GET", path, expect)


@pytest.fixture(scope="module")
def api(server):
    return Api(server)


@pytest.fixture(scope="module")
def nightly(server):
    """A job with three runs in two environments and a failure that opened an incident; its name."""
    name = f"nightly-{uuid.uuid4().hex[:8]}"
    server.create_monitor(name, displayName="Nightly")
    for word, more in (("start", ""), ("ok", "&duration=12"), ("start", "&environment=staging")):
        assert server.request("POST", f"/report/{name}/{word}?message=text{more}")[0] == 200
    assert server.request("POST", f"/report/{name}/fail?duration=3&host=h-1&message=boom")[0] == 200
    return name


def test_the_history_of_a_monitor(api, nightly):
    pings = api.get(f"/api/monitors/{nightly}/pings")
    assert [row["event"] for row in pings] == ["fail", "run", "complete", "run"]
    failed = pings[0]
    assert failed.keys() >= {
        "stamp", "monitor_name", "monitor_code", "description", "from", "message", "event", "status", "duration",
        "created",
    }  # fmt: skip
    assert (failed["monitor_name"], failed["from"], failed["message"]) == ("Nightly", "h-1", "boom")
    assert failed["duration"] == 3
    assert abs(failed["stamp"] - time.time()) < 300
    alerts = api.get(f"/api/monitors/{nightly}/alerts")
    assert [row["event"] for row in alerts] == ["alert"]
    activity = api.get(f"/api/monitors/{nightly}/activity")
    assert sorted(row["event"] for row in activity) == sorted(["alert", "fail", "run", "complete", "run"])
    assert [row["stamp"] for row in activity] == sorted((row["stamp"] for row in activity), reverse=True)


def test_history_by_code_environment_and_length(api, nightly):
    code = api.get(f"/api/monitors/{nightly}/pings")[0]["monitor_code"]
    assert len(code) == 6
    assert api.get(f"/api/monitors/{code}/pings") == api.get(f"/api/monitors/{nightly}/pings/")
    assert [row["env"] for row in api.get(f"/api/monitors/{nightly}/pings?env=staging")] == ["staging"]
    assert len(api.get(f"/api/monitors/{nightly}/activity?limit=2")) == 2
    assert len(api.get(f"/api/monitors/{nightly}/activity?limit=100000")) == 5


def test_aggregates(api, nightly):
    answer = api.get(f"/api/aggregates?monitor={nightly}&time=30d")
    assert answer.keys() == {"monitors"}
    found = answer["monitors"][nightly]
    assert found.keys() == {"production", "staging"}
    production = found["production"]
    assert {name: production[name] for name in ("run_count", "complete_count", "fail_count", "event_count")} == {
        "run_count": 1,
        "complete_count": 1,
        "fail_count": 1,
        "event_count": 3,
    }
    assert (production["total_runs"], production["total_failures"], production["alert_count"]) == (2, 1, 1)
    assert (production["success_rate"], production["duration_p50"], production["duration_mean"]) == (50, 3, 7.5)
    assert production["duration_p90"] == 12
    assert isinstance(production["uptime"], NUMBER)
    assert isinstance(production["downtime_seconds"], int)
    staging = found["staging"]
    assert (staging["run_count"], staging["success_rate"], staging["duration_p50"]) == (1, None, None)
    only = api.get(f"/api/aggregates?monitor={nightly}&env=staging&time=1h")["monitors"]
    assert only == {nightly: {"staging": {**staging, "uptime": only[nightly]["staging"]["uptime"]}}}


def test_aggregates_of_all_monitors_of_a_type(api, server, nightly):
    beat = f"beat-{uuid.uuid4().hex[:8]}"
    server.create_monitor(beat, kind="KIND_HEARTBEAT")
    server.request("POST", f"/report/{beat}")
    jobs = api.get("/api/aggregates?type=job")["monitors"]
    beats = api.get("/api/aggregates?type=heartbeat")["monitors"]
    assert nightly in jobs and beat not in jobs
    assert beats[beat]["production"]["tick_count"] == 1
    assert nightly in api.get(f"/api/aggregates?monitor={nightly},{beat}&type=job,heartbeat")["monitors"]


def test_metrics(api, nightly):
    path = f"/api/metrics?monitor={nightly}&field=duration_p50%2Csuccess_rate&time=365d"
    found = api.get(path)["monitors"][nightly]
    assert found.keys() == {"production", "staging"}
    (point,) = found["production"]
    assert point == {"stamp": point["stamp"], "duration_p50": 3, "success_rate": 50}
    assert point["stamp"] % (7 * 86_400) == 0
    assert found["staging"] == []
    every = api.get(path + "&withNulls=true")["monitors"][nightly]["production"]
    assert len(every) in (53, 54)
    assert sum(row["duration_p50"] is None for row in every) == len(every) - 1
    counts = api.get(f"/api/metrics?monitor={nightly}&field=run_count&field=alert_count&env=production&time=365d")
    assert counts["monitors"][nightly]["production"] == [{"stamp": point["stamp"], "run_count": 1, "alert_count": 1}]


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/api/metrics?time=24h", 400, "field"),
        ("/api/metrics?field=p50", 400, "field"),
        ("/api/metrics?field=run_count&withNulls=perhaps", 400, "withNulls"),
        ("/api/aggregates?time=2h", 400, "time"),
        ("/api/aggregates?type=site", 400, "type"),
        ("/api/aggregates?monitor=nobody-knows", 404, "nobody-knows"),
        ("/api/monitors/nobody-knows/pings", 404, "nobody-knows"),
        ("/api/monitors/a%0Ab/activity", 404, "no monitor"),
        ("/api/monitors/x/pings?limit=none", 404, "no monitor"),
    ],
)
def test_errors_in_every_shape_that_clients_read(api, path, status, word):
    error = api.get(path, status)
    assert word in error["error"]
    assert error["detail"] == error["error"]
    assert word in error["errors"][0]["message"]
    if status == 400:
        assert error["errors"][0]["field"] == word


@pytest.mark.parametrize("path", ["statuspages", "sites/1", "integrations", "issues/a/b", "groups/x/y", "logs"])
def test_what_is_not_served_says_so_in_the_words_of_clients(api, path):
    answer = api.get(f"/api/{path}", 404)
    assert answer["error"] == answer["detail"] == answer["errors"][0]["message"]


def test_keys(server, nightly):
    path = f"/api/monitors/{nightly}/pings"
    assert Api(server, "f" * 32).get(path, 403)["error"] == "Invalid API key"
    assert "scope" in Api(server, server.ingest_key).get(path, 403)["error"]
    assert server.request("GET", path, key="")[0] == 403
    assert Api(server).call("POST", path, 405)["error"].startswith("method POST")
    assert server.request("HEAD", path)[0] == 200


def send(server, key, query):
    assert server.request("GET", f"/p/{server.ingest_key}/{key}?{query}", key="")[0] == 200


def test_figures_of_telemetry(api, server):
    job = f"told-{uuid.uuid4().hex[:8]}"
    for turn in (1, 2, 3):
        send(server, job, f"state=run&series={turn}&env=qa")
        more = f"duration={turn}.5&metric=count:{turn * 10}&metric=length:{turn}&metric=error_count:1"
        send(server, job, f"state={'fail' if turn == 3 else 'complete'}&series={turn}&env=qa&{more}&msg=out+{turn}")
    send(server, job, "state=complete&env=qa")
    found = api.get(f"/api/aggregates?monitor={job}&time=1h")["monitors"][job]["qa"]
    wanted = {
        "run_count": 3,
        "complete_count": 3,
        "fail_count": 1,
        "tick_count": 0,
        "event_count": 7,
        "total_runs": 4,
        "total_failures": 1,
        "success_rate": 75,
        "duration_p50": 2.5,
        "duration_p90": 3.5,
        "duration_mean": 2.5,
        "count_sum": 60,
        "error_count_sum": 3,
    }
    assert {name: found[name] for name in wanted} == wanted
    fields = "count_p50,length_p90,error_count_mean,count_mean,duration_p10,run_count,checks_failed_count"
    (point,) = api.get(f"/api/metrics?monitor={job}&time=365d&env=qa&field={fields}")["monitors"][job]["qa"]
    assert point == {
        "stamp": point["stamp"],
        "count_p50": 20,
        "length_p90": 3,
        "error_count_mean": 1,
        "count_mean": 20,
        "duration_p10": 1.5,
        "run_count": 3,
        "checks_failed_count": 0,
    }


def test_the_history_of_telemetry(api, server):
    job = f"events-{uuid.uuid4().hex[:8]}"
    for query in ("state=run&host=h-1", "state=halfway&msg=50%25", "state=fail&msg=boom&status_code=3", "state=ok"):
        send(server, job, query)
    rows = api.get(f"/api/monitors/{job}/pings")
    assert [row["event"] for row in rows][:1] == ["ok"]
    assert sorted(row["event"] for row in rows) == ["fail", "halfway", "ok", "run"]
    by_event = {row["event"]: row for row in rows}
    assert (by_event["fail"]["message"], by_event["fail"]["status"]) == ("boom", 3)
    assert by_event["halfway"]["message"] == "50%"
    assert by_event["run"]["from"] == "h-1"
    assert [row["event"] for row in api.get(f"/api/monitors/{job}/alerts")] == ["recovery", "alert"]
