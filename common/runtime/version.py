"""The version of this installation."""

from __future__ import annotations


def version() -> str:
    """As pip knows it; a checkout that was never installed has none."""
    from importlib import metadata

    try:
        return metadata.version("tidewire")
    except metadata.PackageNotFoundError:
        return "unknown (not installed)"
