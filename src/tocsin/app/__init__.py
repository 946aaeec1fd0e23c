"""The composition root: settings, every constructor call, the life of the server.

Imports everything; nothing imports it but `cli`.
"""
