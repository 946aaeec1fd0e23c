"""Check-ins that could not be sent: one file each, sent later with their own times and ids, in order.

A file is written whole and renamed, so a crash leaves no half of one. It names the server and the key (by a
fingerprint) that it was meant for: it goes nowhere else. What is older than a day is dropped, and it is said: the
server would no longer believe its time.
"""

import contextlib
import hashlib
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

KEPT_S: Final = 24 * 3600
LIMIT: Final = 10_000  # files; beyond it the oldest go
_SHAPE: Final = f"{'[0-9]' * 20}-{'[0-9a-f]' * 32}.json"  # other files in the folder are somebody else's


class Letter(msgspec.Struct):
    """One request as it would have been sent."""

    server: str
    key: str  # its fingerprint: the key itself is never written down
    path: str
    body: msgspec.Raw


class Spool:
    """What waits for one server and key. RuntimeError: there is no home to keep it in."""

    def __init__(
        self, server: str, key: str, folder: Path | None = None, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._server = server
        self._key = hashlib.sha256(key.encode()).hexdigest()[:16]
        self._folder = folder or _folder()
        self._say = say

    def put(self, path: str, body: object) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}.json"
        letter = Letter(self._server, self._key, path, msgspec.Raw(msgspec.json.encode(body)))
        draft = self._folder / f".{name}"
        draft.write_bytes(msgspec.json.encode(letter))
        draft.rename(self._folder / name)

    def flush(self, send: Callable[[str, object], bool]) -> int:
        """Sends what waits for this server and key, oldest first, until `send` answers False. Returns how many went."""
        sent = 0
        for file in self._files():
            letter = self._read(file)
            if letter is None or (letter.server, letter.key) != (self._server, self._key):
                continue
            if not send(letter.path, msgspec.json.decode(letter.body)):
                break
            file.unlink(missing_ok=True)
            sent += 1
        return sent

    def _read(self, file: Path) -> Letter | None:
        try:
            return msgspec.json.decode(file.read_bytes(), type=Letter)
        except OSError:
            return None  # another run has just sent it, or it is another user's
        except msgspec.DecodeError:
            self._drop([file], "cannot be read")
            return None

    def _files(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        files = sorted(self._folder.glob(_SHAPE))
        oldest = time.time_ns() - KEPT_S * 1_000_000_000
        fresh = [file for file in files if int(file.name[:20]) >= oldest]
        self._drop(files[: len(files) - len(fresh)], f"are older than {KEPT_S // 3600} h")
        self._drop(fresh[:-LIMIT], f"are beyond the limit of {LIMIT}")
        return fresh[-LIMIT:]

    def _drop(self, files: list[Path], why: str) -> None:
        dropped = 0
        for file in files:
            with contextlib.suppress(OSError):  # another run was faster, or it is another user's
                file.unlink()
                dropped += 1
        if dropped:
            self._say(f"{dropped} kept check-in(s) dropped that {why}")


def _folder() -> Path:
    if chosen := os.environ.get("TOCSIN_SPOOL"):
        return Path(chosen)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "tocsin" / "spool"
