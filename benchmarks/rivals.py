"""Servers that do nothing, as fast as their framework can: what ours is measured against in the same run.

python rivals.py grpc PORT    any unary method of bytes answers what it got; a stream likewise
python rivals.py http PORT    a raw ASGI application under uvicorn (uvloop, httptools) reads the body, answers "OK"
"""

import sys

import grpc
import uvicorn
import uvloop


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        if "Stream" in details.method:
            return grpc.stream_stream_rpc_method_handler(self._each)
        return grpc.unary_unary_rpc_method_handler(self._one)

    async def _one(self, request, _context):
        return request

    async def _each(self, requests, _context):
        async for _ in requests:
            yield b""


async def serve_grpc(port: int) -> None:
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Echo(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-length", b"3"), (b"content-type", b"text/plain")],
}


async def answer(_scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send(HEAD)
    await send({"type": "http.response.body", "body": b"OK\n"})


async def serve_http(port: int) -> None:
    config = uvicorn.Config(
        answer, port=port, http="httptools", lifespan="off", ws="none", access_log=False, log_level="warning"
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    kind, port = sys.argv[1], int(sys.argv[2])
    uvloop.run(serve_grpc(port) if kind == "grpc" else serve_http(port))
