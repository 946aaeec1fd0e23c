"""What is wrong with a request: told under the monitor's key and the attribute's name, all of it at once."""

from typing import Final, NamedTuple

from tocsin.domain.errors import InvalidArgument

SHOWN: Final = 100  # problems of one answer
# Fields of the domain → the attribute that a client wrote.
_ATTRIBUTES: Final = (
    ("time_zone", "timezone"),
    ("schedules", "schedule"),
    ("assertions", "assertions"),
    ("margin_ms", "grace_seconds"),
    ("alert_delay_ms", "grace_seconds"),
    ("miss_threshold", "schedule_tolerance"),
    ("failure_threshold", "failure_tolerance"),
    ("alert_policy", "notify"),
    ("display_name", "name"),
    ("group", "group"),
    ("tags", "tags"),
)


class Problem(NamedTuple):
    """`field` and `key` are "" where there is none. `message` begins with the field."""

    message: str
    key: str = ""
    field: str = ""

    @property
    def told(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


class Invalid(Exception):
    """The request ends here with 400, and nothing of it was kept."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems)
        self.problems = problems


class Refused(Exception):
    """The request ends here with `status`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Problems:
    """Of one monitor, as they are found."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.found: list[Problem] = []

    def wrong(self, field: str, text: str) -> None:
        self.found.append(Problem(f"{field}: {text}", self.key, field.partition("[")[0].partition(".")[0]))

    def wrong_by(self, problem: InvalidArgument, field: str = "") -> None:
        """What a rule of the domain says, under the attribute that it is about."""
        path, text = problem.violations[0] if problem.violations else ("", problem.message)
        if problem.reason == "TIME_ZONE_UNKNOWN":
            field = "timezone"
        field = field or next((attribute for part, attribute in _ATTRIBUTES if part in path), path)
        self.wrong(field, text)

    def done(self) -> None:
        """Invalid, when anything is wrong."""
        if self.found:
            raise Invalid(*self.found)
