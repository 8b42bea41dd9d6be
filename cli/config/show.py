"""`tidewire config show`: every value with its origin."""

from __future__ import annotations

import argparse
import json
import os
from functools import reduce
from typing import Any

from common.config import SystemConfig
from common.config.keys import keys_of, plain, shown
from common.errors import EXIT_OK
from common.runtime.settings import Settings, settings_of
from common.runtime.settings.problems import MASK


def main(args: argparse.Namespace) -> int:
    """Print the configuration in force."""
    settings = settings_of(args, os.environ)
    print(as_json(settings) if args.json else as_table(settings))
    return EXIT_OK


def as_table(settings: Settings) -> str:
    """A line each: key = value, origin."""
    rows = [(path, MASK if secret else shown(value), origin) for path, value, origin, secret in _values(settings)]
    key_chars = max(len(path) for path, _, _ in rows)
    value_chars = min(40, max(len(text) for _, text, _ in rows))
    return "\n".join(f"{path:<{key_chars}} = {text:<{value_chars}}  ({origin})" for path, text, origin in rows)


def as_json(settings: Settings) -> str:
    """One object: key -> {"value", "origin"}."""
    return json.dumps(
        {
            path: {"value": MASK if secret else plain(value), "origin": origin}
            for path, value, origin, secret in _values(settings)
        },
        indent=2,
    )


def _values(settings: Settings) -> list[tuple[str, Any, str, bool]]:
    config = settings.config
    return [
        (path, reduce(getattr, path.split("."), config), settings.origins[path], key.is_secret)
        for path, key in keys_of(SystemConfig).items()
    ]
