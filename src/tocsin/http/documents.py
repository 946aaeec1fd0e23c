"""GET /openapi.json and /docs: the native REST API, described by its own descriptors."""

import functools
import importlib.resources
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tocsin import __version__
from tocsin.http import openapi

_PAGE: Final = "docs.html"


@functools.cache
def _document() -> bytes:
    return msgspec.json.encode(openapi.document(version=__version__))


@functools.cache
def _page() -> str:
    return importlib.resources.files("tocsin.http").joinpath(_PAGE).read_text(encoding="utf-8")


async def _openapi(_request: Request) -> Response:
    return Response(_document(), media_type="application/json", headers={"access-control-allow-origin": "*"})


async def _docs(_request: Request) -> Response:
    return HTMLResponse(_page())


def routes() -> list[Route]:
    return [Route("/openapi.json", _openapi, methods=["GET"]), Route("/docs", _docs, methods=["GET"])]
