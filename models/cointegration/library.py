"""statsmodels, an optional dependency."""

from __future__ import annotations

import importlib
from typing import Any


def import_statsmodels(module: str) -> Any:
    """The module `statsmodels.<module>`.

    Raises:
        ImportError: it is not installed; says which extra brings it.
    """
    try:
        return importlib.import_module(f"statsmodels.{module}")
    except ImportError as missing:
        raise ImportError("statsmodels is needed for cointegration: pip install 'tidewire[lab]'") from missing
