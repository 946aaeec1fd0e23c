"""The `tocsin` command: serve, tenants, database; and, as a client, monitors and exec."""
