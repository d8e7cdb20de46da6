"""A sudden rush beyond what the machine carries."""
