"""Channels, groups, maintenance windows, variables, snippets and alerts of Checkly's API. See ../README.md."""
