"""What people may ask about their data, and who takes part: objections with their receipts, practices,
requests under the GDPR, files that come in. No identity is kept: a local reference at most."""
