# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""From the key of a monitor to its slot, by a keyed 128-bit digest (SipHash-2-4); the key itself is not kept."""

from typing import Final, final

from _typeshed import ReadableBuffer, WriteableBuffer

NOWHERE: Final[int]  # 0xffffffff

@final
class KeyTable:
    """Digest to uint32. Belongs to one thread at a time."""

    def __new__(cls, secret: bytes) -> KeyTable:
        """`secret` has 16 bytes."""

    def __len__(self) -> int: ...
    @property
    def capacity(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    def reserve(self, keys: int) -> None:
        """Makes room for so many keys in all."""

    def digest(self, data: bytes) -> tuple[int, int]:
        """The low and the high 64 bits."""

    def put(self, data: bytes, value: int) -> None:
        """Adds a key or replaces its value; NOWHERE is a ValueError."""

    def put_many(self, keys: list[bytes], values: ReadableBuffer) -> None:
        """`put` for a list and a uint32 array of the same length; all or nothing."""

    def get(self, data: bytes) -> int:
        """The value, or NOWHERE."""

    def get_many(self, keys: list[bytes], out: WriteableBuffer) -> int:
        """`get` for a list into a uint32 array of the same length; says how many were found."""

    def remove(self, data: bytes) -> bool:
        """Whether the key was there."""
