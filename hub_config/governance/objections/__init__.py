"""Who objected: whose rows no question sees any more, or none dated after the day they said so."""
