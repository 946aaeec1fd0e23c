"""Checkly's protocol for heartbeats: its REST API, ping URLs and Prometheus endpoint. README.md says what is served."""
