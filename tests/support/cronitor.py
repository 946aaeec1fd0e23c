"""A client of Cronitor's REST API for tests, with nothing but the standard library; and shapes of answers."""

import base64
import json
from typing import Any, NamedTuple

from support.server import Server


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def text(self) -> str:
        return self.content.decode()


class Cronitor:
    """One server, one key."""

    def __init__(self, server: Server, key: str = "") -> None:
        self.server = server
        self.key = key or server.admin_key

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`body`: bytes as they are, anything else as JSON. Headers: underscores stand for dashes."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = "Basic " + base64.b64encode(f"{self.key}:".encode()).decode()
        return Answer(*self.server.request(method, path, body, key="", headers=sent))

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status == 200, answer
        return answer.json

    def put(self, *monitors: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.call("PUT", "/api/monitors", list(monitors))
        assert answer.status == 200, answer
        found: list[dict[str, Any]] = answer.json
        return found

    def ping(self, place: str) -> None:
        status, _, content = self.server.request("GET", f"/p/{self.server.ingest_key}/{place}", key="")
        assert (status, content) == (200, b"ok")


def differences(shape: Any, found: Any, path: str = "$") -> list[str]:
    """Where an answer lacks what a shape has, or has another type there; null stands for anything, and anything for it."""
    if shape is None or found is None:
        return []
    if isinstance(shape, dict):
        if not isinstance(found, dict):
            return [f"{path}: {found!r} is no object"]
        lacking = [f"{path}.{name}: is not there" for name in shape if name not in found]
        return lacking + [
            line
            for name, part in shape.items()
            if name in found
            for line in differences(part, found[name], f"{path}.{name}")
        ]
    if isinstance(shape, list):
        if not isinstance(found, list):
            return [f"{path}: {found!r} is no array"]
        return [line for item in found for line in differences(shape[0] if shape else None, item, f"{path}[]")]
    numbers = (int, float)
    same = isinstance(found, numbers) if isinstance(shape, numbers) else isinstance(found, type(shape))
    if isinstance(shape, bool) or isinstance(found, bool):
        same = isinstance(shape, bool) and isinstance(found, bool)
    return [] if same else [f"{path}: {found!r} is not of the type of {shape!r}"]
