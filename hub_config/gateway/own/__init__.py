"""Scope `own`: questions about the rows of the person who asks. ADR 0016.

Whose they are, the gateway finds out for each question: the login of the socket, the register of persons, the
source of the snapshot. A request says no more than that it is about one's own.
"""
