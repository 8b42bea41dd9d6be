"""TLS, for clients that take nothing less."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path

import httpx
import pytest
import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common.config import MockExchangeConfig
from common.errors import ConfigError
from services.mock_exchange.service import serve
from tests.mock_exchange.build import free_port, parse


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


async def test_https_and_wss_are_served_with_a_certificate(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    config = MockExchangeConfig(
        listen_address=f"127.0.0.1:{free_port()}",
        metrics_address=f"127.0.0.1:{free_port()}",
        tls_certificate_file=str(cert),
        tls_key_file=str(key),
    )
    trust = ssl.create_default_context(cafile=str(cert))
    stop, listening = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(config, stop, lambda _: listening.set()))
    await asyncio.wait_for(listening.wait(), 20)
    async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
        assert (await client.get(f"https://{config.listen_address}/api/v3/ping")).json() == {}
    async with websockets.connect(f"wss://{config.listen_address}/ws/btcusdt@depth", ssl=trust) as socket:
        assert parse(await asyncio.wait_for(socket.recv(), 5))["e"] == "depthUpdate"
    stop.set()
    await serving


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"tls_certificate_file": "cert.pem"}, "mock_exchange.tls_key_file"),
        ({"tls_key_file": "key.pem"}, "mock_exchange.tls_certificate_file"),
        ({"tls_certificate_file": "none.pem", "tls_key_file": "none.pem"}, "mock_exchange.tls_certificate_file"),
    ],
)
async def test_half_or_unreadable_certificates_are_refused(settings: dict[str, str], key: str) -> None:
    with pytest.raises(ConfigError) as error:
        await serve(MockExchangeConfig(**settings), asyncio.Event())
    assert error.value.key == key
