"""No free text, name, address, telephone or personal number in the warehouse: kept out, then looked for."""
