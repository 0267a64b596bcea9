"""The register of persons: what in the warehouse is a person's own. Nothing but the gateway's scope `own`
reads it."""
