"""Protobuf modules, generated from `proto/` at build time; nothing here is written by hand."""
