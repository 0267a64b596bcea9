"""Protected results as tables for people."""
