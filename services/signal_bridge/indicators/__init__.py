"""Incremental indicators: a layout, and kernels over it."""
