"""Where a snapshot may be: in a DuckDB file of this machine, or on an engine elsewhere."""
