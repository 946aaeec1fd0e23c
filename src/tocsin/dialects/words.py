"""Words that one protocol serves below /api/, so that no other protocol's variable takes them for its own."""

from typing import Final

from starlette.convertors import Convertor

CRONITOR: Final = (
    "aggregates",
    "environments",
    "groups",
    "issues",
    "logs",
    "maintenance_windows",
    "metrics",
    "monitors",
    "notifications",
    "search",
    "templates",
)

# Of Cronitor's, what is not served: its clients are told so in their words.
CRONITOR_LATER: Final = ("integrations", "sites", "statuspage_components", "statuspages")


class Unclaimed(Convertor[str]):
    """One part of a path that is none of these words."""

    regex = f"(?!(?:{'|'.join(CRONITOR)})(?:/|$))[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value
