"""Short codes: six characters that stand for a monitor's number everywhere, and say nothing about it.

A code is the number put through a permutation that a secret of the server keys: a Feistel network of eight rounds over
two halves of three characters. So a code needs no table, is unique, never changes and is turned back by arithmetic.
Codes that are words of paths are walked over: the permutation is applied again, in both directions.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Final

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_HALF: Final = len(_DIGITS) ** 3
_ROUNDS: Final = 8
NUMBERS: Final = _HALF * _HALF
"""Numbers from 0 up to here, two thousand million, have a code."""
_CODE: Final = re.compile(r"[0-9a-z]{6}")


class Codes:
    def __init__(self, secret: bytes, reserved: Iterable[str] = ()) -> None:
        """`reserved`: words of six characters that are no codes."""
        self._secret = secret
        self._reserved = frozenset(_read(word) for word in reserved if _CODE.fullmatch(word))

    def code_of(self, number: int) -> str:
        """ValueError for a number that has none."""
        if not 0 <= number < NUMBERS or number in self._reserved:
            raise ValueError(f"no code for {number}")
        number = self._forth(number)
        while number in self._reserved:
            number = self._forth(number)
        return "".join(_DIGITS[number // len(_DIGITS) ** place % len(_DIGITS)] for place in range(5, -1, -1))

    def number_of(self, code: str) -> int | None:
        """None when it is not a code, whoever has the number or nobody."""
        if not _CODE.fullmatch(code) or (number := _read(code)) in self._reserved:
            return None
        number = self._back(number)
        while number in self._reserved:
            number = self._back(number)
        return number

    def _forth(self, number: int) -> int:
        left, right = divmod(number, _HALF)
        for turn in range(_ROUNDS):
            left, right = right, (left + self._mix(turn, right)) % _HALF
        return left * _HALF + right

    def _back(self, number: int) -> int:
        left, right = divmod(number, _HALF)
        for turn in reversed(range(_ROUNDS)):
            left, right = (right - self._mix(turn, left)) % _HALF, left
        return left * _HALF + right

    def _mix(self, turn: int, half: int) -> int:
        data = turn.to_bytes(1) + half.to_bytes(2)
        return int.from_bytes(hashlib.blake2b(data, key=self._secret[:64], digest_size=8).digest())


def _read(code: str) -> int:
    return int(code, len(_DIGITS))
