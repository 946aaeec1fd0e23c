"""What a project decides for one of its environments, in all of its monitors."""

import msgspec

from tocsin.domain.instant import Instant
from tocsin.domain.names import DEFAULT_ENVIRONMENT

NAME_MAX = 200


class ProjectEnvironment(msgspec.Struct, frozen=True, omit_defaults=True):
    number: int  # identity inside the store, never reused; 0: nothing was decided, it is known by reports only
    project: int
    key: str  # the name that reports give; case matters
    display_name: str = ""
    with_alerts: bool = True  # False: incidents are opened and nobody hears of them
    create_time: Instant = 0
    update_time: Instant = 0

    @property
    def default(self) -> bool:
        """Whether it is that of reports that name none."""
        return self.key == DEFAULT_ENVIRONMENT
