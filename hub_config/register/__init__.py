"""Le registre: asking for a project, deciding on it, keeping the register of processing. An own process and
origin; what it decides, hub, gateway and spawner read in governance."""
