"""Recorded captures of the venue's streams: two text formats, read as one run of events. Pure: bytes in, events out.

`LOCAL_TS {json}`: every line a combined-stream frame, or a bare REST depth answer where it arrived; LOCAL_TS is
epoch time in s, ms, us or ns, told apart by its digits. Cryptofeed's raw lines:

    1633998512.0633569: {json}                          received frame
    https://host/path?query -> 1633998512.320639: {json}  REST answer
    wss://host/... <-> 1633998511.159679                connection opened
    wss://host/... <- 1617666423.123373: {json}         frame sent by the client
    configuration: {json}                               the recorder's own settings
"""

from __future__ import annotations

import gzip
import lzma
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from common.errors import WireError
from common.messages import Instrument
from common.units import decimals_of
from venues.binance.symbols import split_symbol

FRAME: Final = "frame"
SNAPSHOT: Final = "snapshot"
EXCHANGE_INFO: Final = "exchange_info"
LINK_UP: Final = "link_up"
SENT: Final = "sent"
OTHER: Final = "other"

_PLAIN: Final = re.compile(rb"(\d{10,19}) (\{.*\})\s*$")
_RECEIVED: Final = re.compile(rb"(\d{10}\.\d+): (.*)$")
_ANSWER: Final = re.compile(rb"(https?://\S+) -> (\d{10}\.\d+): (.*)$")
_OPENED: Final = re.compile(rb"(wss?://\S+) <-> (\d{10}\.\d+)\s*$")
_SENT_LINE: Final = re.compile(rb"(wss?://\S+) <- (\d{10}\.\d+): (.*)$")
_STREAM: Final = re.compile(rb'\s*\{\s*"stream"\s*:\s*"([^"]+)"\s*,\s*"data"\s*:\s*(.*)\}\s*$', re.DOTALL)
_SYMBOL: Final = re.compile(rb'"s(?:ymbol)?"\s*:\s*"([^"]+)"')
_URL_SYMBOL: Final = re.compile(rb"[?&]symbol=([A-Za-z0-9_]+)")
_LEVEL: Final = re.compile(rb'\["([0-9.]+)","([0-9.]+)"\]')
_PRICE: Final = re.compile(rb'"[pba]":"([0-9.]+)"')
_QUANTITY: Final = re.compile(rb'"[qBA]":"([0-9.]+)"')


class CaptureEvent(NamedTuple):
    """One recorded event. `symbol` is upper case, or "" where the event has none; `payload` is the json as received
    (for `link_up` the URL)."""

    local_ns: int
    kind: str
    symbol: str
    payload: bytes


class CaptureInfo(NamedTuple):
    """What a capture holds. `counts` is by stream kind (`depth`, `trade`, ...) and by event kind for the rest."""

    venue: str
    symbols: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    first_ns: int
    span_ns: int
    counts: dict[str, int]


def unpack(data: bytes) -> bytes:
    """The text of a capture: gzip and xz are told by their magic, everything else is taken as text.

    Raises:
        WireError: the archive is damaged or cut off.
    """
    try:
        if data[:2] == b"\x1f\x8b":
            return gzip.decompress(data)
        if data[:6] == b"\xfd7zXZ\x00":
            return lzma.decompress(data)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as exc:
        raise WireError(f"a capture's archive is damaged: {exc}; fetch it again") from exc
    return data


def read_capture(*files: bytes) -> Iterator[CaptureEvent]:
    """The events of one capture, given as the bytes of one or several files (merged by local time).

    Raises:
        WireError: a line is none of the shapes above (its number is told), or an archive is damaged.
    """
    if len(files) == 1:
        yield from _read_one(files[0])
        return
    events = [event for data in files for event in _read_one(data)]
    events.sort(key=lambda event: event.local_ns)
    yield from events


def stream_of(payload: bytes) -> tuple[str, bytes]:
    """Stream name and inner json of a combined-stream frame; ("", payload) of a raw one."""
    match = _STREAM.match(payload)
    return (match[1].decode(), match[2]) if match else ("", payload)


def describe_capture(events: Iterable[CaptureEvent]) -> CaptureInfo:
    """What a capture holds, and the grids its own numbers lie on.

    The tick (lot) of a symbol is the largest 1, 2 or 5 times a power of ten that divides every price (quantity)
    seen, so it is never coarser than what the capture needs.

    Raises:
        WireError: there is no depth diff in the capture.
    """
    counts: Counter[str] = Counter()
    prices: dict[str, set[bytes]] = {}
    quantities: dict[str, set[bytes]] = {}
    first_ns, last_ns, has_previous_id = 0, 0, False
    for event in events:
        first_ns, last_ns = first_ns or event.local_ns, max(last_ns, event.local_ns)
        counts[_count_name(event)] += 1
        if event.kind not in (FRAME, SNAPSHOT) or not event.symbol:
            continue
        has_previous_id = has_previous_id or b'"pu":' in event.payload
        price_texts = prices.setdefault(event.symbol, set())
        quantity_texts = quantities.setdefault(event.symbol, set())
        if event.kind == SNAPSHOT or b'"depthUpdate"' in event.payload:
            for price, quantity in _LEVEL.findall(event.payload):
                price_texts.add(price)
                quantity_texts.add(quantity)
        elif b'"kline"' not in event.payload and b'"markPriceUpdate"' not in event.payload:
            price_texts.update(_PRICE.findall(event.payload))
            quantity_texts.update(_QUANTITY.findall(event.payload))
    if not counts["depth"]:
        raise WireError("the capture holds no depth updates of this venue; nothing can be replayed from it")
    venue = "binance-usdm" if has_previous_id else "binance"
    symbols = tuple(sorted(s for s in prices if prices[s] and quantities[s]))
    instruments = tuple(
        _instrument(venue, symbol, _grid(prices[symbol]), _grid(quantities[symbol]), first_ns) for symbol in symbols
    )
    return CaptureInfo(venue, symbols, instruments, first_ns, last_ns - first_ns, dict(counts))


def _instrument(venue: str, symbol: str, tick: Decimal, lot: Decimal, now_ns: int) -> Instrument:
    base, quote = split_symbol(symbol)
    return Instrument(
        event_ns=now_ns,
        origin_ns=now_ns,
        trace_id=0,
        venue=venue,
        symbol=symbol,
        base=base,
        quote=quote,
        tick_size=tick,
        lot_size=lot,
    )


def _grid(texts: set[bytes]) -> Decimal:
    values = [Decimal(text.decode()) for text in texts]
    decimals = max((decimals_of(value) for value in values if value), default=0)
    divisor = math.gcd(*(int(value.scaleb(decimals)) for value in values)) or 1
    power = 10 ** (len(str(divisor)) - 1)
    while power:
        for lead in (5, 2, 1):
            if divisor % (lead * power) == 0:
                return Decimal(lead * power).scaleb(-decimals)
        power //= 10
    raise AssertionError("one divides every number")


def _count_name(event: CaptureEvent) -> str:
    if event.kind != FRAME:
        return event.kind
    stream, _ = stream_of(event.payload)
    return stream.split("@")[1].partition("_")[0] if "@" in stream else OTHER


def _read_one(data: bytes) -> Iterator[CaptureEvent]:
    symbol = ""
    for number, line in enumerate(unpack(data).splitlines(), 1):
        if not line.strip():
            continue
        event = _parse_line(line, symbol)
        if event is None:
            raise WireError(f"line {number} is not of a known capture format: {line[:80]!r}")
        if event.kind == FRAME:
            symbol = event.symbol or symbol
        yield event


def _parse_line(line: bytes, last_symbol: str) -> CaptureEvent | None:
    """One line; a bare REST answer belongs to the symbol streamed last (these captures hold one symbol each)."""
    if match := _PLAIN.match(line):
        return _received(_epoch_ns(match[1]), match[2], last_symbol)
    if match := _RECEIVED.match(line):
        return _received(_float_ns(match[1]), match[2], last_symbol)
    if match := _ANSWER.match(line):
        at_ns, body = _float_ns(match[2]), match[3]
        found = _URL_SYMBOL.search(match[1])
        symbol = found[1].decode().upper() if found else ""
        if b'"lastUpdateId"' in body[:200]:
            return CaptureEvent(at_ns, SNAPSHOT, symbol, body)
        return CaptureEvent(at_ns, EXCHANGE_INFO if b"exchangeInfo" in match[1] else OTHER, symbol, body)
    if match := _OPENED.match(line):
        return CaptureEvent(_float_ns(match[2]), LINK_UP, "", match[1])
    if match := _SENT_LINE.match(line):
        return CaptureEvent(_float_ns(match[2]), SENT, "", match[3])
    if line.startswith(b"configuration: "):
        return CaptureEvent(0, OTHER, "", line[15:])
    return None


def _received(at_ns: int, payload: bytes, last_symbol: str) -> CaptureEvent:
    if b'"lastUpdateId"' in payload[:200] and b'"stream"' not in payload[:20]:
        found = _SYMBOL.search(payload[:300])
        return CaptureEvent(at_ns, SNAPSHOT, found[1].decode() if found else last_symbol, payload)
    found = _SYMBOL.search(payload)
    return CaptureEvent(at_ns, FRAME, found[1].decode() if found else "", payload)


def _epoch_ns(digits: bytes) -> int:
    return int(digits.ljust(19, b"0"))


def _float_ns(text: bytes) -> int:
    """Epoch seconds as text, exactly: `float` would cost the last hundred nanoseconds."""
    seconds, _, fraction = text.partition(b".")
    return int(seconds) * 10**9 + int(fraction[:9].ljust(9, b"0"))
