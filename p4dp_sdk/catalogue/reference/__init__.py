"""Published reference values that the catalogue's derived columns and the indicators rest on, as data."""
