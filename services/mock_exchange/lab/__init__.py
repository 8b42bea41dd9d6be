"""Plain endpoints over the simulated market, in the guise of several exchanges."""
