"""`tidewire config schema`: the JSON Schema, as it stands in config/system.schema.json."""

from __future__ import annotations

import argparse
import json

from common.config import json_schema
from common.errors import EXIT_OK


def main(_args: argparse.Namespace) -> int:
    """Print the schema."""
    print(schema_text())
    return EXIT_OK


def schema_text() -> str:
    """The schema, ready for a file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False)
