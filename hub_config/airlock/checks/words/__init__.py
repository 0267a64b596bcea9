"""The words of findings: `groups` (people), `form`, `documents`, `quarantine`; `params` fill the blanks."""
