"""Check-ins that could not be sent: one file each, sent later with their own times and ids, in order.

A file is written whole and renamed, so a crash leaves no half of one. What is older than a day is dropped: the server
would no longer believe its time.
"""

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

KEPT_S: Final = 24 * 3600
LIMIT: Final = 10_000  # files; beyond it the oldest go


class Letter(msgspec.Struct):
    """One request as it would have been sent."""

    path: str
    body: msgspec.Raw


class Spool:
    def __init__(self, folder: Path | None = None) -> None:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        self._folder = folder or Path(os.environ.get("TOCSIN_SPOOL") or state / "tocsin" / "spool")

    def put(self, path: str, body: object) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}.json"
        draft = self._folder / f".{name}"
        draft.write_bytes(msgspec.json.encode(Letter(path, msgspec.Raw(msgspec.json.encode(body)))))
        draft.rename(self._folder / name)

    def flush(self, send: Callable[[str, object], bool]) -> int:
        """Sends what waits, oldest first, until `send` answers False. Returns how many were sent."""
        sent = 0
        for file in self._files():
            try:
                letter = msgspec.json.decode(file.read_bytes(), type=Letter)
            except (OSError, msgspec.DecodeError):
                file.unlink(missing_ok=True)
                continue
            if not send(letter.path, msgspec.json.decode(letter.body)):
                break
            file.unlink(missing_ok=True)
            sent += 1
        return sent

    def _files(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        files = sorted(self._folder.glob("[0-9]*.json"))
        oldest = time.time_ns() - KEPT_S * 1_000_000_000
        kept = [file for file in files[-LIMIT:] if int(file.name[:20]) >= oldest]
        for file in set(files) - set(kept):
            file.unlink(missing_ok=True)
        return kept
