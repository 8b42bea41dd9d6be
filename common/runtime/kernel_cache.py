"""Where compiled kernels are kept: set before numba is first imported, since numba reads it then.

Imported for that effect by the entry points, ahead of any room with kernels, so that a daemon started by hand finds
what `tidewire compile` (or make) compiled, instead of compiling again for itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "NUMBA_CACHE_DIR"
DEFAULT: Final = Path(__file__).resolve().parents[2] / ".cache" / "numba"

os.environ.setdefault(VARIABLE, str(DEFAULT))
