"""Notebooks of a project's own that the enclave may run: a member asks, a physician without a part in the
project reads the code and decides, and the bytes on record are the bytes that run."""
