"""Methods that take wire bytes: a protobuf body reaches them as it came, and whatever else was said stands behind it."""

import httpx
import pytest
from google.rpc.status_pb2 import Status
from starlette.applications import Starlette

from tocsin.domain import errors
from tocsin.http.transcode import routes
from tocsin.service.call import in_bytes
from tocsin.v1 import check_in_pb2
from tocsin.v1.check_in_service_pb2 import (
    BatchCreateCheckInsRequest,
    BatchCreateCheckInsResponse,
    CreateCheckInRequest,
)
from tocsin.wire.services import SERVICES

PATH = "/v1/projects/1/monitors/-/checkIns:batchCreate"
PARENT = "projects/1/monitors/-"
KINDS = ("application/x-protobuf", "application/protobuf")
SENT = BatchCreateCheckInsRequest(requests=[CreateCheckInRequest(parent="projects/1/monitors/a", kind="KIND_OK")])
ANSWER = BatchCreateCheckInsResponse(check_ins=[check_in_pb2.CheckIn(uid="a" * 32)])


class Handlers:
    def __init__(self):
        self.seen = []

    def __getattr__(self, name):
        return lambda request, call: None

    @in_bytes
    async def BatchCreateCheckIns(self, request, call):
        self.seen.append(request)
        if call == "refuse":
            raise errors.PermissionDenied("not yours", reason="KEY_SCOPE")
        return ANSWER.SerializeToString()


@pytest.fixture
async def door():
    handlers = Handlers()

    async def context(request, method):
        return request.headers.get("x-call", "")

    name = "tocsin.v1.CheckInService"
    app = Starlette(routes=list(routes({name: handlers}, context, body_limit=1_000)))
    assert name in SERVICES
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        client.handlers = handlers
        yield client


async def send(door, content, kind=KINDS[0], query="", **headers):
    headers = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await door.post(PATH + query, content=content, headers=headers)


@pytest.mark.parametrize("kind", (*KINDS, "Application/X-Protobuf; charset=none"))
async def test_the_bytes_come_as_they_were_sent(door, kind):
    data = SENT.SerializeToString() + b"\xa0\x06\x81\x00"  # a field that nobody knows, in three bytes for one
    response = await send(door, data, kind)
    (seen,) = door.handlers.seen
    assert seen.startswith(data)
    assert BatchCreateCheckInsRequest.FromString(seen).parent == PARENT
    assert response.status_code == 200
    assert response.headers["content-type"] == kind.partition(";")[0].lower()
    assert BatchCreateCheckInsResponse.FromString(response.content) == ANSWER


@pytest.mark.parametrize(
    ("sent", "accept", "answered"),
    (
        ("application/x-protobuf", "application/json", "application/json"),
        ("application/x-protobuf", "application/protobuf", "application/protobuf"),
        ("application/json", "application/x-protobuf", "application/x-protobuf"),
        ("application/json", "*/*", "application/json"),
        ("application/octet-stream", "*/*", None),
    ),
)
async def test_the_answer_is_what_was_asked_for(door, sent, accept, answered):
    data = SENT.SerializeToString() if "protobuf" in sent else b'{"returnPartialSuccess": true}'
    if answered is None:
        assert (await send(door, SENT.SerializeToString(), sent, accept=accept)).status_code == 400
        return
    response = await send(door, data, sent, accept=accept)
    assert response.headers["content-type"] == answered
    if "protobuf" in answered:
        assert BatchCreateCheckInsResponse.FromString(response.content) == ANSWER
    else:
        assert response.json()["checkIns"][0]["uid"] == "a" * 32


async def test_json_is_made_bytes(door):
    await send(door, b'{"requests": [{"kind": "KIND_OK"}]}', "application/json")
    read = BatchCreateCheckInsRequest.FromString(door.handlers.seen[0])
    assert (read.parent, len(read.requests)) == (PARENT, 1)


async def test_the_query_and_the_path_have_the_last_word(door):
    sent = BatchCreateCheckInsRequest(parent=PARENT, requests=SENT.requests).SerializeToString()
    await send(door, sent, query="?returnPartialSuccess=true&key=secret")
    read = BatchCreateCheckInsRequest.FromString(door.handlers.seen[0])
    assert (read.parent, read.return_partial_success, len(read.requests)) == (PARENT, True, 1)


async def refused(response, reason):
    assert response.headers["content-type"] == KINDS[0]
    status = Status.FromString(response.content)
    assert reason.encode() in status.details[0].value
    return response.status_code, status.message


async def test_a_parent_that_is_not_the_path_is_refused(door):
    sent = BatchCreateCheckInsRequest(parent="projects/1/monitors/other").SerializeToString()
    code, message = await refused(await send(door, sent), "FIELD_INVALID")
    assert code == 400
    assert "'projects/1/monitors/other' is not what the path says" in message
    assert not door.handlers.seen


async def test_what_ends_too_early_does_not_swallow_what_the_path_says(door):
    """The path is put behind the body: a length that ends just behind both must not make one message of them."""
    whole = SENT.SerializeToString()
    behind = len(BatchCreateCheckInsRequest(parent=PARENT).SerializeToString())
    torn = whole + b"\x12" + bytes([behind])
    BatchCreateCheckInsRequest.FromString(torn + b"\x0a" + bytes([behind - 2]) + PARENT.encode())  # this could be read
    code, message = await refused(await send(door, torn), "BODY_MALFORMED")
    assert code == 400
    assert message.endswith(f"at byte {len(whole) + 1}")
    assert not door.handlers.seen


async def test_errors_are_in_protobuf_too(door):
    assert await refused(await send(door, b"", x_call="refuse"), "KEY_SCOPE") == (403, "not yours")
    code, _ = await refused(await send(door, b"\x00" * 2_000), "BODY_TOO_LARGE")
    assert code == 413
    code, _ = await refused(await send(door, b"", content_encoding="gzip"), "BODY_MALFORMED")
    assert code == 400
    code, _ = await refused(await send(door, b"", query="?nonsense=1"), "FIELD_INVALID")
    assert code == 400
