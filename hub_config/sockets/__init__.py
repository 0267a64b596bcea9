"""What every service with a door in a workspace stands on: a unix socket for each running workspace, whose it
is, and the token that must agree with it.

The gateway and the airlock each listen beside the other in the one folder that a workspace sees. Imports no
service.
"""
