"""Statistics of simulated markets, measured on virtual time."""
