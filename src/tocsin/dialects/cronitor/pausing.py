"""Until when a pause lasts: hours in the path of a call, none for ever, 0 for not any more."""

import re
from typing import Final

from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.problems import Invalid, Problem
from tocsin.domain.instant import HOUR, NEVER, Instant

HOURS_MAX: Final = 100 * 366 * 24
_HOURS: Final = re.compile(r"[0-9]{1,7}")


def until_of(call: Call) -> Instant | None:
    """None: it is over. Invalid for what is no number of hours."""
    text = str(call.request.path_params.get("hours", ""))
    if not text:
        return NEVER
    if not _HOURS.fullmatch(text) or int(text) > HOURS_MAX:
        key = call.part("key")
        raise Invalid(Problem(f"hours: {text[:20]!r} is not a whole number of 0 to {HOURS_MAX}", key, "hours"))
    return call.received + int(text) * HOUR if int(text) else None
