"""The operator's side of code lists: lists that all projects share, and a site's own tables of codes.

Both lie in the enclave's home, `codelists/<id>/<version>.toml` and `codes/<system>.csv`. Workspaces see them
read-only; the gateway closes its keys with the catalogue and these tables. Nothing is overwritten: a list
gets a new version, a table only grows.
"""
