"""The version before the project's own: what moved between two loads can be seen, and nothing else of it."""
