"""Telling people: what to say of an incident and when (`planner`, pure), and how it is said (`webhook`)."""
