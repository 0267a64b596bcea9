"""The register of processing: who asked for what, who decided what and when, who works on it, who accepted
the charter, who left.

Read by hub, gateway and spawner through governance; changed on the register's pages.
"""
