"""An ASGI application that answers one request; a client that goes away meanwhile is nobody's error."""

from abc import ABC, abstractmethod

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Answering(ABC):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self.answer(Request(scope, receive))
        except ClientDisconnect:
            return  # nobody is left to answer
        await response(scope, receive, send)

    @abstractmethod
    async def answer(self, request: Request) -> Response:
        """The whole way from arrival to answer; errors are answers too."""
