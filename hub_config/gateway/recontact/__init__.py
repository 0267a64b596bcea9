"""Re-contact: a project names patients by an expression, and is told how many; who they are stays here."""
