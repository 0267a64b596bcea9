"""The register's pages. HTTP only: `rules` decide, `actions` act."""
