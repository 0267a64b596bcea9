"""Programs in a sandbox: the one way in which the spawner, the airlock and the attack tests start one.

It knows nothing of workspaces nor of files to release: who starts a box says what is in it.
"""
