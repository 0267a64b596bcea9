"""What the box of a workspace holds of ours, mounted read-only: its first program, and the Jupyter server's
configuration.

Nothing here imports the enclave, and only `relay` is imported by it. In the box these are plain files, not
`hub_config`.
"""
