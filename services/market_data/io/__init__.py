"""Sockets and HTTP of market data."""
