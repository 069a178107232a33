"""Jobs of many drawings: their description, their workers and their output."""
