"""One notebook a file, as text; docs/notebooks.md."""
