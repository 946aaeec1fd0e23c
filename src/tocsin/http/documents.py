"""GET /openapi.json and /docs: the native REST API, described by its own descriptors."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tocsin import __version__
from tocsin.http import openapi


def routes() -> list[Route]:
    return [Route("/openapi.json", _openapi, methods=["GET"]), Route("/docs", _docs, methods=["GET"])]


async def _openapi(_request: Request) -> Response:
    # any tool on any page may read the description; it holds nothing of the server's
    headers = {"access-control-allow-origin": "*"}
    return Response(openapi.encoded(__version__), media_type="application/json", headers=headers)


async def _docs(_request: Request) -> Response:
    return HTMLResponse(openapi.page())
