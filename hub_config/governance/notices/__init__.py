"""The outbox of all services: a notice is written with the change it tells of. The airlock mails it.

A notice says that something waits, and where; never what, whose, or of which project.
"""
