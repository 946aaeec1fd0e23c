"""Tokens in paths: a UUID with its dashes that is all a ping needs to know, and words of a path that are none.

Keys of every protocol are hexadecimal without dashes, and no literal word of a path looks like a UUID, so neither takes
anything from the other. Only where no key can stand is a UUID without its dashes a token too.
"""

from typing import Final

from starlette.convertors import Convertor, register_url_convertor

UUID: Final = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ANY_UUID: Final = f"(?:{UUID}|[0-9a-fA-F]{{32}})"
TOKEN: Final = "ping_token"  # noqa: S105 - the name of a converter
ANY_TOKEN: Final = "any_ping_token"  # noqa: S105 - likewise
NO_TOKEN: Final = "no_ping_token"  # noqa: S105 - likewise


class _Text(Convertor[str]):
    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class Token(_Text):
    regex = UUID


class AnyToken(_Text):
    """With its dashes or without."""

    regex = ANY_UUID


class NoToken(_Text):
    """One part of a path that is no token."""

    regex = f"(?!{UUID}(?:/|$))[^/]+"


register_url_convertor(TOKEN, Token())
register_url_convertor(ANY_TOKEN, AnyToken())
register_url_convertor(NO_TOKEN, NoToken())
