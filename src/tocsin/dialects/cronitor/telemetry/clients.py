"""The short name of a client, as Cronitor shows it: "curl", "browser", "cronitor-python"."""

import functools
import re
from typing import Final

_MAX: Final = 64
_END: Final = re.compile(r"[/\s(;]")


@functools.lru_cache(maxsize=1_024)
def short_name(user_agent: str) -> str:
    """The first product of a User-Agent without its version; "" when there is none."""
    name = _END.split(user_agent.strip()[: 4 * _MAX], maxsplit=1)[0]
    return "browser" if name == "Mozilla" else "".join(filter(str.isprintable, name))[:_MAX]
