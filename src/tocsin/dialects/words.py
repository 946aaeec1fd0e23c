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

# What paths of Checkly's API begin with. The native API has some of them to itself.
CHECKLY: Final = ("/v1/", "/v2/", "/v3/", "/next/", "/next-v2/", "/accounts/")
NATIVE: Final = ("/v1/projects/", "/v1/outages", "/v1/schedules")
# Of those, what is Checkly's all the same.
CHECKLY_WITHIN: Final = ("/v1/projects/deploy",)

# What stands in Checkly's paths where others of them have an id.
CHECKLY_WORDS: Final = ("deploy", "heartbeat", "heartbeats", "me")


class Unclaimed(Convertor[str]):
    """One part of a path that is none of these words."""

    regex = f"(?!(?:{'|'.join(CRONITOR)})(?:/|$))[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class ChecklyId(Unclaimed):
    """One part of a path of Checkly's that is none of its own words."""

    regex = f"(?!(?:{'|'.join(CHECKLY_WORDS)})(?:/|$))[^/]+"
