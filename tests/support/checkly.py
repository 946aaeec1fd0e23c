"""A client of Checkly's REST API for tests, with nothing but the standard library; and shapes of answers."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from support.server import Server

HEARTBEAT = {"period": 1, "periodUnit": "hours", "grace": 10, "graceUnit": "minutes"}
ERROR_KEYS = {"statusCode", "error", "message"}


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


class Checkly:
    """One server, one key. The account is that of the key."""

    def __init__(self, server: Server, key: str = "") -> None:
        self.server = server
        self.key = key or server.admin_key

    @property
    def account(self) -> str:
        return str(self.server.credentials()["account_id"])

    def call(self, method: str, path: str, body: Any = None, *, packed: bool = False, **headers: str) -> Answer:
        """`body`: bytes as they are, anything else as JSON. Headers: underscores stand for dashes; "" leaves one out."""
        sent = {"X-Checkly-Account": self.account, "Authorization": f"Bearer {self.key}"}
        sent |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        if packed and data is not None:
            data, sent["Content-Encoding"] = gzip.compress(data), "gzip"
        left = {name: value for name, value in sent.items() if value}
        return Answer(*self.server.request(method, path, data, key="", headers=left))

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """The JSON of an answer that must have this status; None when it is empty."""
        answer = self.call(method, path, body)
        assert answer.status == status, f"{method} {path}: {answer.status} {answer.text}"
        return answer.json if answer.content else None

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def create(self, **fields: Any) -> dict[str, Any]:
        """A heartbeat check of one hour and ten minutes, or what `fields` say; without channels."""
        body = {"name": "job", "heartbeat": HEARTBEAT, **fields}
        found: dict[str, Any] = self.ask("POST", "/v1/checks/heartbeat?autoAssignAlerts=false", body, status=201)
        return found

    def put_apart(self, path: str, said: dict[str, Any]) -> None:
        """Each member in a request of its own, all at once."""
        with ThreadPoolExecutor(len(said)) as pool:
            list(pool.map(lambda name: self.ask("PUT", path, {name: said[name]}), said))

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """An answer that must be an error, with all three keys."""
        answer = self.call(method, path, body, **headers)
        assert answer.status >= 400, f"{method} {path}: {answer.status} {answer.text}"
        found = answer.json
        assert found.keys() >= ERROR_KEYS, found
        assert found["statusCode"] == answer.status
        assert found["error"]
        assert found["message"]
        return answer


def fixture(name: str) -> Any:
    """A recorded exchange, by the name of its file."""
    return json.loads((Path(__file__).parents[1] / "contract" / "fixtures" / "checkly" / f"{name}.json").read_text())


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
