"""The vocabulary every room shares: units, messages, topics, the stage protocol, configuration. Pure."""
