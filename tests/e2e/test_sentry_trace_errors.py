"""An error event names the error behind a failed run of the same trace, against the real server."""

import json
import uuid

from support.server import Server


def send(server: Server, *items: tuple[str, dict]) -> None:
    lines = [b"{}"]
    for kind, payload in items:
        lines += [json.dumps({"type": kind}).encode(), json.dumps(payload).encode()]
    path = f"/api/{server.project_id}/envelope/?sentry_key={server.ingest_key}"
    status, _, content = server.request("POST", path, b"\n".join(lines), key="")
    assert status == 200, content


def run(slug: str, status: str, trace: str) -> tuple[str, dict]:
    contexts = {"trace": {"trace_id": trace}}
    return "check_in", {"monitor_slug": slug, "status": status, "check_in_id": uuid.uuid4().hex, "contexts": contexts}


def event(trace: str, value: str) -> tuple[str, dict]:
    exception = {"values": [{"type": "ValueError", "value": value}]}
    return "event", {"level": "error", "contexts": {"trace": {"trace_id": trace}}, "exception": exception}


def test_a_failed_run_names_its_error(server: Server) -> None:
    slug = f"traced-{uuid.uuid4().hex[:8]}"
    server.create_monitor(slug)
    failed, well, silent = (uuid.uuid4().hex for _ in range(3))
    send(server, event(failed, "no disk"), event(well, "handled"))
    send(server, run(slug, "error", failed), run(slug, "ok", well), run(slug, "error", silent))
    found = {one["traceId"]: one for one in server.check_ins(slug)}
    assert found[failed]["traceError"] == {"level": "error", "type": "ValueError", "value": "no disk"}
    assert found[well].get("traceError") is None
    assert found[silent].get("traceError") is None
    assert server.get(f"/v1/{found[failed]['name']}")["traceError"]["value"] == "no disk"
