"""Deployments of projects of Checkly's CLI: resources that a program declares. See ../README.md."""
