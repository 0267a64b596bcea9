"""What the enclave itself ran: finished runs of reports, and the SHA-256 of every file that was kept of them.

The operators' command writes a run here when it has ended, never the box; the airlock asks whose bytes it is
shown.
"""
