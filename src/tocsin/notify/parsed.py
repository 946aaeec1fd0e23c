"""Trees of templates that were read lately, up to so many characters of templates together."""

import threading
from typing import Final

from tocsin.notify import handlebars
from tocsin.notify.handlebars.nodes import Program

KEPT_MAX: Final = 500_000  # characters; a tree takes some hundred times the room of its text


class Trees:
    """`tree(text)`, from any thread. What has not been asked for longest goes first."""

    def __init__(self, most: int = KEPT_MAX) -> None:
        self._most, self._kept = most, 0
        self._trees: dict[str, Program] = {}  # in the order in which they were asked for
        self._lock = threading.Lock()

    def tree(self, template: str) -> Program:
        """TemplateError: it is no template."""
        with self._lock:
            known = self._trees.pop(template, None)
            if known is not None:
                self._trees[template] = known
                return known
        made = handlebars.parse(template)
        with self._lock:
            if self._trees.pop(template, None) is None:
                self._kept += len(template)
            self._trees[template] = made
            while self._kept > self._most:
                oldest = next(iter(self._trees))
                del self._trees[oldest]
                self._kept -= len(oldest)
        return made


TREES: Final = Trees()
"""Of this process. A form that was checked is rendered without being read again, as long as it is remembered."""
