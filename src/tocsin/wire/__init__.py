"""Protobuf ⇄ domain, both directions, one module per contract file. The only place that knows both.

May import `schedule`, `domain` and the generated modules; knows no gRPC, no HTTP and no store. Every module is pure
functions. What a client got wrong is `InvalidArgument` with the field's full path, as the client wrote the request:
"monitor.schedules[0].interval.count".
"""
