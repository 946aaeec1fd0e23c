"""The native API: handlers of the contract's services, and the gRPC server that carries them.

A handler is `async def Method(request, call)`; gRPC and the HTTP bridge call the same one, so the two cannot drift.
"""
