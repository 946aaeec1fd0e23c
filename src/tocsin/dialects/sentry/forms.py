"""Form bodies of the cron endpoint, urlencoded or multipart → their fields as text. Pure.

Files, and parts without a name, are passed over. FormError says what is wrong.
"""

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
MAX_FIELDS: Final = 100  # parts of a multipart body likewise


class FormError(ValueError):
    """The body is not the form that its content type announces."""


def fields(content_type: str, body: bytes) -> dict[str, str]:
    """By name, the last of a name that comes twice; none when the content type is no form's."""
    kind = content_type.strip().lower()
    if kind.startswith(URLENCODED):
        try:
            return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=MAX_FIELDS))
        except ValueError as problem:
            raise FormError(str(problem)) from None
    if kind.startswith(MULTIPART):
        return _multipart(content_type, body)
    return {}


def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary:
        raise FormError("a multipart content type must name its boundary")
    parts = _Parts()
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as problem:
        raise FormError(f"not the multipart body that its content type announces: {problem}") from None
    if not parts.ended:
        raise FormError("the multipart body ends before its last boundary")
    return parts.found


class _Parts:
    """What the parser calls: collects the text of parts that have a name and are no file."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.ended = False
        self._count = 0
        self._header = self._value = b""
        self._name: str | None = None
        self._data = bytearray()

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._count += 1
        if self._count > MAX_FIELDS:
            raise FormError(f"more than {MAX_FIELDS} parts")
        self._name = None
        self._data.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            options = parse_options_header(self._value)[1]
            if b"filename" not in options and b"name" in options:
                self._name = options[b"name"].decode("utf-8", "replace")
        self._header = self._value = b""

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name is not None:
            self._data += data[start:end]

    def _part_end(self) -> None:
        if self._name is not None:
            self.found[self._name] = self._data.decode("utf-8", "replace")

    def _end(self) -> None:
        self.ended = True
