"""Runs the notebooks, each in a kernel of its own, and writes what they show as HTML."""

from notebooks.runner.execution import ExecutedNotebook, NotebookError, execute, html_of, names, read

__all__ = ["ExecutedNotebook", "NotebookError", "execute", "html_of", "names", "read"]
