"""Market streams: what they say, and who asked for which."""
