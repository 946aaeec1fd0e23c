"""The fields of a JSON body, each with its type; what is wrong is told under the field's name."""

from typing import Any, Final

from tocsin.dialects.cronitor import bodies
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.resources.query import wrong

TEXT_MAX: Final = 2_000
LIST_MAX: Final = 10_000


class Body:
    """Unknown fields are passed over, because clients send back what they were sent."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    @classmethod
    async def of(cls, call: Call) -> "Body":
        """Refused 400 unless it is a JSON object; nothing at all is an empty one."""
        data = await call.body()
        return cls(bodies.single(data) if data.strip() else {})

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def text(self, name: str, most: int = TEXT_MAX) -> str:
        """Trimmed; empty when it is absent or null."""
        value = self.fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > most or "\0" in value:
            raise wrong(name, f"must be a text of at most {most} characters")
        return value.strip()

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise wrong(name, "must be true or false")
        return value

    def texts(self, name: str) -> list[str]:
        """Each once, in their order; none when it is absent or null."""
        value = self.fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > LIST_MAX or not all(isinstance(one, str) for one in value):
            raise wrong(name, f"must be a list of at most {LIST_MAX} texts")
        return list(dict.fromkeys(one.strip() for one in value if one.strip()))

    def word(self, name: str, known: tuple[str, ...]) -> str:
        """One of these; empty when it is absent or null."""
        value = self.text(name)
        if value and value not in known:
            raise wrong(name, f"{value[:40]!r} is none of {', '.join(known)}")
        return value

    def same_key(self, key: str) -> None:
        """Invalid when it says another key than the path does."""
        if self.text("key") not in ("", key):
            raise wrong("key", f"must be {key[:200]!r}, as the path says: a key cannot be changed")
