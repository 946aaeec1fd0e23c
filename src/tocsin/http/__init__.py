"""The HTTP bridge: the native REST API transcoded from the contract, plain pings, health and metrics."""
