"""Requests and answers as the venue words them, without a socket."""
