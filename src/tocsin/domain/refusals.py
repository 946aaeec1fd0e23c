"""Why a report was not honoured. Names are stable; numbers are those of Sentry's processing errors where it has one."""

import enum


class RefusalReason(enum.Enum):
    CHECKIN_ENVIRONMENT_MISMATCH = 0
    CHECKIN_FINISHED = 1
    CHECKIN_GUID_PROJECT_MISMATCH = 2
    CHECKIN_INVALID_DURATION = 3
    CHECKIN_INVALID_GUID = 4
    CHECKIN_VALIDATION_FAILED = 5
    MONITOR_DISABLED = 6
    MONITOR_DISABLED_NO_QUOTA = 7
    MONITOR_INVALID_CONFIG = 8
    MONITOR_INVALID_ENVIRONMENT = 9
    MONITOR_LIMIT_EXCEEDED = 10
    MONITOR_NOT_FOUND = 11
    MONITOR_OVER_QUOTA = 12
    MONITOR_ENVIRONMENT_LIMIT_EXCEEDED = 13
    MONITOR_ENVIRONMENT_RATELIMITED = 14
    ORGANIZATION_KILLSWITCH_ENABLED = 15
    MONITOR_INVALID_OWNER = 16
    MONITOR_FIELD_LOCKED = 101  # a remark: somebody set the field by hand, and the configuration sent says otherwise
    INTERNAL = 100  # our fault: the entry failed twice and was stepped over
