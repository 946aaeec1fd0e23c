"""How this dialect is called where several are told apart."""

from typing import Final

DIALECT: Final = "checkly"
