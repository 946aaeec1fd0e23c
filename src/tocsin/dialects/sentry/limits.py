"""How much of a request is read, decoded, held in memory and believed. All sizes in bytes."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The published limits of the protocol where it has some; ours where memory or time are at stake."""

    compressed: int = 20 * MIB  # a body with a Content-Encoding, as it is on the wire
    expanded: int = 100 * MIB  # a body after decoding; what is not about check-ins is discarded while it streams
    held: int = 2 * MIB  # headers and check-ins of one envelope that are kept until it ends
    check_in: int = 100 * KIB  # one check-in
    check_ins: int = 1_000  # check-ins of one envelope
    event: int = 512 * KIB  # one error event that is read; a longer one is let go
    aside: int = MIB  # events and client reports of one envelope that are read; more are let go
    events: int = 100  # error events of one envelope that are read
    header: int = 64 * KIB  # one header line of an envelope
    cron_body: int = MIB  # a body on the cron endpoint, decoded
    lingering: int = 16 * MIB  # of the body of a refused request that are read, so that its client gets the answer
