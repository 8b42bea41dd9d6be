"""The only asyncio, ZeroMQ, clock, file, log and metric plumbing. It drives a Stage and does not know which."""
