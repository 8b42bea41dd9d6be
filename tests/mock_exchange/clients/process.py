"""A mock exchange in a process of its own, as a user starts one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.rig import ROOT, free_ports

_UP_WITHIN_S = 60
#: Tests are quicker than bots.
_ROOMY = {"request_weight_per_minute": 10**6, "orders_per_10_s": 10**4}


class Mock(NamedTuple):
    """Where it listens, and the private keys (PEM) of its second account by the names of their API keys."""

    address: str
    private_keys: Mapping[str, str]


@contextmanager
def mock_process(folder: Path, **settings: Any) -> Iterator[Mock]:
    """Serve until the block ends. Beside the demo account there is one with an Ed25519 and an RSA key."""
    private_keys, accounts = _account_of_pairs(folder)
    port, metrics_port = free_ports(2)
    section = {"metrics_address": f"127.0.0.1:{metrics_port}", "accounts": accounts, "limits": _ROOMY} | settings
    config, log = folder / "mock.json", folder / "mock.log"
    config.write_text(json.dumps({"mock_exchange": section}))
    command = [sys.executable, "-m", "services.mock_exchange", "--port", str(port), "--seed", "1", "--config", config]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
    try:
        end = time.monotonic() + _UP_WITHIN_S
        while not _is_up(metrics_port):
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield Mock(f"127.0.0.1:{port}", private_keys)
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(10)
    assert " ERROR " not in log.read_text(), log.read_text()


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _account_of_pairs(folder: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    pairs = {
        "pair-ed25519": ("ED25519", Ed25519PrivateKey.generate()),
        "pair-rsa-2048": ("RSA", rsa.generate_private_key(65537, 2048)),
    }
    secrets, api_keys = {}, []
    for name, (kind, private) in pairs.items():
        public = folder / f"{name}.pub"
        public.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        secrets[name] = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        api_keys.append({"api_key": name, "kind": kind, "public_key_file": str(public)})
    return secrets, [{"name": "pairs", "api_keys": api_keys, "balances": {"USDT": "1000000", "BTC": "10"}}]
