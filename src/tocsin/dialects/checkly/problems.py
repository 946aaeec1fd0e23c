"""What is wrong with a request: every problem of it at once, each under the attribute that a client wrote."""

from typing import Any, Final, NamedTuple

from tocsin.domain.errors import InvalidArgument

SHOWN: Final = 20  # problems of one answer
PAYLOAD: Final = "payload"
QUERY: Final = "query"
PARAMS: Final = "params"  # variables of the path


class Problem(NamedTuple):
    """`field`: where in the body, or which parameter: "heartbeat.period"; of several resources, where in that one."""

    field: str
    text: str
    resource: str = ""  # which of several, as messages name it

    @property
    def told(self) -> str:
        return ": ".join(filter(None, (self.resource, self.field, self.text)))


class Refused(Exception):
    """The request ends here with `status`, and nothing of it was kept. `more`: further keys of the answer."""

    def __init__(self, status: int, text: str, **more: Any) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.more = more


class Problems:
    """Of one request, or one resource of it, as they are found."""

    def __init__(self, source: str = PAYLOAD) -> None:
        self.source = source
        self.found: list[Problem] = []

    def wrong(self, field: str, text: str, resource: str = "") -> None:
        self.found.append(Problem(field, text, resource))

    def wrong_by(self, problem: InvalidArgument, field: str = "", resource: str = "") -> None:
        """What a rule of the domain says, under `field`, or the domain's own name for it."""
        for path, text in problem.violations[:1] if field else problem.violations:
            self.wrong(field or path, text, resource)
        if not problem.violations:
            self.wrong(field, problem.message, resource)

    @property
    def told(self) -> str:
        """All of it, up to a bound, in one line."""
        more = len(self.found) - SHOWN
        lines = [problem.told for problem in self.found[:SHOWN]]
        return "; ".join([*lines, f"and {more} more"] if more > 0 else lines)

    def done(self) -> None:
        """Refused 400, when anything is wrong."""
        if self.found:
            raise self.refusal()

    def refusal(self) -> Refused:
        keys = list(dict.fromkeys(problem.field for problem in self.found[:SHOWN] if problem.field))
        return Refused(400, self.told, validation={"source": self.source, "keys": keys})


def wrong(field: str, text: str, source: str = PAYLOAD) -> Refused:
    """A 400 about one field."""
    problems = Problems(source)
    problems.wrong(field, text)
    return problems.refusal()
