"""Workspaces: from a named server of the hub to a Jupyter server in a sandbox. The hub enters by
`spawner.P4DPSpawner`.
"""
