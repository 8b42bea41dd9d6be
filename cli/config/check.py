"""`tidewire config check`: is it valid, and is it meant?"""

from __future__ import annotations

import argparse
import os
import sys

from common.errors import EXIT_OK
from common.runtime.settings import settings_of


def main(args: argparse.Namespace) -> int:
    """Print one line when the configuration is valid; cautions go to stderr."""
    settings = settings_of(args, os.environ)
    for caution in settings.config.cautions():
        print(f"caution: {caution}", file=sys.stderr)
    print("configuration is valid")
    return EXIT_OK
