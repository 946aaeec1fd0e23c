# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""From the key of a monitor to its slot, by a keyed 128-bit digest (SipHash-2-4); the key itself is not kept."""

from typing import Final, final

from _typeshed import ReadableBuffer, WriteableBuffer

from tocsin._core.roster import Roster

NOWHERE: Final[int]  # 0xffffffff

@final
class KeyTable:
    """Digest to uint32. Belongs to one thread at a time: RuntimeError while another is in the middle of a batch."""

    def __new__(cls, secret: bytes, owner: Roster | None = None) -> KeyTable:
        """`secret` has 16 bytes. `owner`: the values are its slots, by which debug builds catch stale ones."""

    def __len__(self) -> int: ...
    @property
    def capacity(self) -> int:
        """Homes of digests; at most 7/8 as many keys fit before it grows by half."""

    @property
    def nbytes(self) -> int: ...
    def reserve(self, keys: int) -> None:
        """Makes room for so many keys in all, and hardly more."""

    def digest(self, data: bytes) -> tuple[int, int]:
        """The low and the high 64 bits."""

    def put(self, data: bytes, value: int) -> None:
        """Adds a key or replaces its value; NOWHERE is a ValueError."""

    def put_many(self, keys: list[bytes], values: ReadableBuffer) -> None:
        """`put` for a list and a uint32 array of the same length; bad input changes nothing."""

    def put_joined(self, data: ReadableBuffer, ends: ReadableBuffer, values: ReadableBuffer) -> None:
        """`put` for keys that lie one after the other in `data`; key i ends before ends[i] (uint64). No GIL is held.

        ValueError for ends that descend or lie outside.
        """

    def get(self, data: bytes) -> int:
        """The value, or NOWHERE."""

    def get_many(self, keys: list[bytes], out: WriteableBuffer) -> int:
        """`get` for a list into a uint32 array of the same length, without the GIL; says how many were found."""

    def remove(self, data: bytes) -> bool:
        """Whether the key was there."""
