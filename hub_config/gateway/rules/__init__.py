"""The gateway's decisions, pure: facts and expressions in, plans and protected tables out. No I/O, no
clock, no randomness."""
