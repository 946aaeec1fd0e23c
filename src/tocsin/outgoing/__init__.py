"""Requests that leave this server: to whom they may go, and how much of an answer is read.

What other packages ask of the world goes through here. It knows nothing of notices and monitors.
"""

from tocsin.outgoing.client import Answer, Client, Failed, Limits
from tocsin.outgoing.guard import Guard, Refused

__all__ = ["Answer", "Client", "Failed", "Guard", "Limits", "Refused"]
