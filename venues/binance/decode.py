"""The venue's messages by orjson: obvious, complete, and the last word on whether a frame is good.

The kernel (kernels.py) takes the frames of the usual form; what it does not recognise comes here. Both must read
the same frame alike: tests hold them to it on every recorded frame.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import orjson

from common.errors import WireError
from common.messages import Instrument, Side, TradeTick
from venues.binance.kernels import FIRST_US, LIMIT, TIME_LIMIT

_DECIMAL: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?\Z")
Level = tuple[int, int]


class OffGrid(WireError):  # noqa: N818 - named for what it is
    """A number with finer steps than the grid it is read on; `decimals` would hold it."""

    def __init__(self, text: str, *, is_price: bool, decimals: int) -> None:
        super().__init__(
            f"{'price' if is_price else 'quantity'} {text} is off the grid; {decimals} digits are needed"
        )
        self.is_price = is_price
        self.decimals = decimals


class Grid(NamedTuple):
    """The steps of an instrument: a price is ticks x tick_multiple x 10^-price_decimals, a quantity alike."""

    price_decimals: int
    tick_multiple: int
    qty_decimals: int
    lot_multiple: int

    @classmethod
    def of(cls, instrument: Instrument) -> Grid:
        price_decimals, qty_decimals = instrument.price_decimals, instrument.qty_decimals
        return cls(
            price_decimals,
            int(instrument.tick_size.scaleb(price_decimals)),
            qty_decimals,
            int(instrument.lot_size.scaleb(qty_decimals)),
        )

    def ticks(self, text: object) -> int:
        """A price in ticks, above 0. Raises WireError, OffGrid."""
        ticks = parse_steps(text, self.price_decimals, self.tick_multiple, is_price=True)
        if ticks < 1:
            raise WireError(f"{text!r} is no price: it must be above 0")
        return ticks

    def lots(self, text: object) -> int:
        """A quantity in lots, 0 included. Raises WireError, OffGrid."""
        return parse_steps(text, self.qty_decimals, self.lot_multiple, is_price=False)

    def refined(self, off_grid: OffGrid) -> Grid:
        """The coarsest grid of powers of ten that holds this grid and the number that was off it."""
        if off_grid.is_price:
            return self._replace(price_decimals=max(self.price_decimals, off_grid.decimals), tick_multiple=1)
        return self._replace(qty_decimals=max(self.qty_decimals, off_grid.decimals), lot_multiple=1)

    def factors_to(self, finer: Grid) -> tuple[int, int]:
        """One tick and one lot of this grid, in those of a `finer` one."""
        tick = self.tick_multiple * 10 ** (finer.price_decimals - self.price_decimals) // finer.tick_multiple
        return tick, self.lot_multiple * 10 ** (finer.qty_decimals - self.qty_decimals) // finer.lot_multiple


class DepthDiff(NamedTuple):
    """One depthUpdate. `previous_id` is None where the venue does not send it (spot)."""

    symbol: str
    first_id: int
    final_id: int
    previous_id: int | None
    event_ns: int
    bids: list[Level]
    asks: list[Level]


class DepthSnapshot(NamedTuple):
    """One REST depth answer. `event_ns` is 0 where the venue does not tell it (spot)."""

    last_update_id: int
    event_ns: int
    bids: list[Level]
    asks: list[Level]


class BookTicker(NamedTuple):
    """Best bid and ask as the venue itself says them."""

    update_id: int
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int


def parse_steps(text: object, decimals: int, multiple: int, *, is_price: bool) -> int:
    """Plain decimal text as whole steps of multiple x 10^-decimals.

    Raises:
        OffGrid: it is no multiple of that step.
        WireError: it is no such text, or 1e18 grid units and more.
    """
    match = _DECIMAL.match(text) if isinstance(text, str) else None
    if match is None:
        raise WireError(f"{text!r} is not a plain decimal number")
    fraction = (match[2] or "").rstrip("0")
    units = int(match[1] + fraction[:decimals].ljust(decimals, "0"))
    if units >= LIMIT:
        raise WireError(f"{text} is too large")
    if len(fraction) > decimals or units % multiple:
        raise OffGrid(match[0], is_price=is_price, decimals=max(decimals, len(fraction)))
    return units // multiple


def time_ns(value: object) -> int:
    """A venue time, in ms or (timeUnit=MICROSECOND) us, as UTC ns. Raises WireError."""
    time = _whole(value, "a time")
    if time >= TIME_LIMIT:
        raise WireError(f"{time} is no time in ms or us")
    return time * 1_000_000 if time < FIRST_US else time * 1_000


def load_json(data: bytes) -> dict[str, Any]:
    """The object in a frame or answer. Raises WireError."""
    try:
        loaded = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        raise WireError(f"{len(data)} bytes are not JSON: {exc}") from exc
    if not isinstance(loaded, dict):
        raise WireError(f"a JSON object is expected, not {type(loaded).__name__}")
    return loaded


def unwrap(loaded: dict[str, Any]) -> dict[str, Any]:
    """The inner message of a combined-stream frame; a raw one as it is."""
    inner = loaded.get("data")
    return inner if isinstance(inner, dict) else loaded


def read_diff(message: dict[str, Any], grid: Grid, *, needs_previous: bool) -> DepthDiff:
    """A depthUpdate taken from its JSON. Raises WireError."""
    if message.get("e") != "depthUpdate":
        raise WireError(f"not a depthUpdate but {message.get('e')!r}")
    symbol = message.get("s")
    if not isinstance(symbol, str):
        raise WireError("a depthUpdate without its symbol")
    first, final = _whole(message.get("U"), "U"), _whole(message.get("u"), "u")
    if first > final:
        raise WireError(f"a depthUpdate from {first} back to {final}")
    previous = _whole(message.get("pu"), "pu") if needs_previous or "pu" in message else None
    event_ns = time_ns(message.get("E"))
    if "T" in message:
        event_ns = time_ns(message["T"])
    return DepthDiff(
        symbol, first, final, previous, event_ns, _levels(message.get("b"), grid), _levels(message.get("a"), grid)
    )


def read_snapshot(message: dict[str, Any], grid: Grid) -> DepthSnapshot:
    """A REST depth answer taken from its JSON. Raises WireError, with the venue's own words if it refused."""
    if "lastUpdateId" not in message and "code" in message:
        raise WireError(f"the venue refused: {message['code']} {message.get('msg', '')}")
    last = _whole(message.get("lastUpdateId"), "lastUpdateId")
    time = message.get("T", message.get("E", 0))
    return DepthSnapshot(last, time_ns(time), _levels(message.get("bids"), grid), _levels(message.get("asks"), grid))


def read_ticker(message: dict[str, Any], grid: Grid) -> BookTicker:
    """A bookTicker taken from its JSON. Raises WireError."""
    return BookTicker(
        _whole(message.get("u"), "u"),
        grid.ticks(message.get("b")),
        grid.lots(message.get("B")),
        grid.ticks(message.get("a")),
        grid.lots(message.get("A")),
    )


def read_trade(
    message: dict[str, Any], instrument: Instrument, grid: Grid, *, origin_ns: int, trace_id: int
) -> TradeTick | None:
    """A trade or aggTrade taken from its JSON; None for a futures print that no market order made (X).

    `m` says the buyer was the maker: then the SELLER took. Raises WireError.
    """
    if message.get("X", "MARKET") != "MARKET":
        return None
    buyer_is_maker = message.get("m")
    if not isinstance(buyer_is_maker, bool):
        raise WireError(f"a trade whose m is {buyer_is_maker!r}, not true or false")
    lots = grid.lots(message.get("q"))
    if lots == 0:
        raise WireError("a trade of nothing")
    return TradeTick(
        event_ns=time_ns(message.get("T")),
        origin_ns=origin_ns,
        trace_id=trace_id,
        venue=instrument.venue,
        symbol=instrument.symbol,
        trade_id=_whole(message.get("t", message.get("a")), "the trade's id"),
        price_ticks=grid.ticks(message.get("p")),
        qty_lots=lots,
        aggressor=Side.SELL if buyer_is_maker else Side.BUY,
    )


def _levels(value: object, grid: Grid) -> list[Level]:
    if not isinstance(value, list):
        raise WireError("a side of the book is not a list")
    levels = []
    for level in value:
        if not isinstance(level, list) or len(level) < 2:
            raise WireError(f"{level!r} is no level")
        levels.append((grid.ticks(level[0]), grid.lots(level[1])))
    return levels


def _whole(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LIMIT:
        raise WireError(f"{name} must be a whole number, not {value!r}")
    return value
