"""Mails what the outbox holds (`hub_config.governance.notices`): the airlock's notices and the register's.

A mail says that something waits, and where; never what, whose, or of which project.
"""
