"""Pages: `cursor` and `per_page` in, the `Link` header out.

A cursor is "TOKEN:0:BACK": the token of a row at the edge of the page before (see `store.pages`), and 1 to turn back.
It has the three parts of Sentry's own, and clients hand it back as it is.
"""

import re
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from tocsin.dialects.sentry.management.call import Call
from tocsin.dialects.sentry.management.replies import Refused
from tocsin.store.browse_port import Leaf, Turn

MAX_SIZE: Final = 100
_CURSOR: Final = re.compile(r"([A-Za-z0-9_-]+):[0-9]{1,9}:([01])")
_FIRST: Final = "0"  # the token of no row


def size_of(query: QueryParams) -> int:
    """Refused 400 unless it is 1 to 100."""
    text = query.get("per_page") or query.get("limit") or str(MAX_SIZE)
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_SIZE:
        raise Refused(400, f"per_page: must be 1 to {MAX_SIZE}, not {text[:20]!r}")
    return int(text)


def turn_of(query: QueryParams) -> Turn:
    """Refused 400 when the cursor is none."""
    text = query.get("cursor") or ""
    if not text:
        return Turn()
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise Refused(400, f"cursor: {text[:60]!r} is not from a Link header of this list")
    token = "" if match[1] == _FIRST else match[1]
    return Turn(token, back=match[2] == "1")


def links(call: Call, leaf: Leaf[Any]) -> dict[str, str]:
    """The header that names the page before and the page after."""
    here = turn_of(call.query).token
    before = _link(call, leaf.first or here, back=True, results=leaf.more_before)
    after = _link(call, leaf.last or here, back=False, results=leaf.more_after)
    return {"Link": f"{before}, {after}"}


def _link(call: Call, token: str, *, back: bool, results: bool) -> str:
    cursor = f"{token or _FIRST}:0:{int(back)}"
    pairs = [(name, value) for name, value in call.query.multi_items() if name not in ("cursor", "key")]
    url = f"{call.url}?{urlencode([*pairs, ('cursor', cursor)], safe=':')}"
    word = "previous" if back else "next"
    return f'<{url}>; rel="{word}"; results="{str(results).lower()}"; cursor="{cursor}"'
