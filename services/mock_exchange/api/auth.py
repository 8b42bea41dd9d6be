"""Who sent a request, and when: signatures of all three kinds of keys, and the time window (venues.md 2.5)."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_plus, urlencode

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from common.units import NS_PER_MS
from services.mock_exchange.api import params
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.accounts import ApiKey, KeyKind

MAX_RECV_WINDOW_MS: Final = 60_000
DEFAULT_RECV_WINDOW_MS: Final = 5_000
#: A clock may be this far ahead of the server's, whatever recvWindow says.
MAX_AHEAD_MS: Final = 1_000
_KEY_FORMAT: Final = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
_RECV_WINDOW_RANGE: Final = "^[0-9]{1,20}(\\.[0-9]{1,3})?$"
_recv_window_text: Final = params.pattern(_RECV_WINDOW_RANGE)


def bad_signature() -> VenueError:
    """-1022, which says no more."""
    return VenueError(-1022, "Signature for this request is not valid.")


def unknown_key() -> VenueError:
    """-2015: no such key, or it may not do this."""
    return VenueError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


def check_key_format(api_key: str) -> None:
    """Refuse what cannot be a key: -2014."""
    if _KEY_FORMAT.match(api_key) is None:
        raise VenueError(-2014, "API-key format invalid.", status=401)


def recv_window(name: str, text: str) -> Decimal:
    """Milliseconds, to microseconds."""
    window = Decimal(_recv_window_text(name, text))
    if window > MAX_RECV_WINDOW_MS:
        raise VenueError(-1131, "recvWindow must be less than 60000.")
    return window


def check_time(sent_ns: int, window_ms: Decimal, now_ns: int) -> None:
    """Accept iff `sent < now + 1 s` and `now - sent <= recvWindow`: -1021 otherwise."""
    if sent_ns >= now_ns + MAX_AHEAD_MS * NS_PER_MS:
        raise VenueError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    # The client's clock reads whole milliseconds or microseconds, ours is held against it in the same way.
    unit_ns = NS_PER_MS if sent_ns % NS_PER_MS == 0 else 1_000
    if now_ns // unit_ns * unit_ns - sent_ns > int(window_ms * NS_PER_MS):
        raise VenueError(-1021, "Timestamp for this request is outside of the recvWindow.")


def rest_payload(query: bytes, body: bytes) -> bytes:
    """What a REST request signs: raw query, then raw body, as received, without `signature` wherever it stands.

    Raises:
        VenueError: bytes that had to be percent-encoded.
    """
    payload = _unsigned(query) + _unsigned(body)
    if not payload.isascii():
        raise bad_signature()
    return payload


def _unsigned(raw: bytes) -> bytes:
    return b"&".join(segment for segment in raw.split(b"&") if not segment.startswith(b"signature="))


def ws_payloads(sent: Mapping[str, str]) -> tuple[bytes, ...]:
    """What a WebSocket API request signs: parameters by name, not percent-encoded; or so, as some clients do it."""
    pairs = sorted((name, value) for name, value in sent.items() if name != "signature")
    plain = "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "surrogatepass")
    encoded = urlencode(pairs, errors="surrogatepass").encode()
    return (plain,) if plain == encoded else (plain, encoded)


def verify(key: ApiKey, payload: bytes, signature: str) -> bool:
    """True when the key's owner signed `payload`. Base64 signatures come percent-decoded."""
    if key.kind is KeyKind.HMAC:
        expected = hmac.new(key.secret_or_public_pem.encode(), payload, "sha256").hexdigest()
        return hmac.compare_digest(expected.encode(), signature.lower().encode("utf-8", "surrogatepass"))
    try:
        raw = base64.b64decode(signature.encode("ascii"), validate=True)
        public = _public_key(key.secret_or_public_pem)
        if isinstance(public, Ed25519PublicKey):
            public.verify(raw, payload)
        else:
            public.verify(raw, payload, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, UnicodeEncodeError):
        return False
    return True


def signature_of(query: bytes, body: bytes) -> str | None:
    """The signature as sent, decoded once as forms are: a base64 + must come as %2B, a bare one is a blank."""
    for segment in (*query.split(b"&"), *body.split(b"&")):
        if segment.startswith(b"signature="):
            return unquote_plus(segment[len(b"signature=") :].decode("latin-1"))
    return None


@lru_cache(maxsize=1024)
def _public_key(pem: str) -> Ed25519PublicKey | RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, (Ed25519PublicKey, RSAPublicKey)):
        raise TypeError(f"a public key must be Ed25519 or RSA, not {type(key).__name__}")
    return key


def check_public_key(key: ApiKey) -> None:
    """Look at a configured key before anybody signs with it.

    Raises:
        ValueError: its PEM is none, or is a key of another kind.
    """
    if key.kind is KeyKind.HMAC:
        return
    wanted = Ed25519PublicKey if key.kind is KeyKind.ED25519 else RSAPublicKey
    try:
        found = _public_key(key.secret_or_public_pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ValueError(f"the public key of {key.key!r} cannot be read ({exc}); give it in PEM") from exc
    if not isinstance(found, wanted):
        raise ValueError(f"the public key of {key.key!r} is not of kind {key.kind}; set its kind right")
