"""Offline research over the very same stages that run in the daemons."""
