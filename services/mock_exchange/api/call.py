"""What an endpoint is, and what its handler is given: the same for REST and WebSocket API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from common.units import NS_PER_MS
from services.mock_exchange.api import auth, params
from services.mock_exchange.api.limits import Limits
from services.mock_exchange.api.params import Param
from services.mock_exchange.errors import VenueError
from services.mock_exchange.exchange import Exchange
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.accounts import Account, Accounts, ApiKey
from services.mock_exchange.trading.desk import Desk

if TYPE_CHECKING:
    from services.mock_exchange.api.user_streams import ListenKeys, UserStreams
    from services.mock_exchange.api.ws_session import WsSession

#: What signed requests carry beside their own parameters.
SIGNING: Final = (
    Param("timestamp", params.moment, is_required=True),
    Param("recvWindow", auth.recv_window, default=auth.DEFAULT_RECV_WINDOW_MS),
    Param("signature", params.text, is_required=True),
)
#: The same within a session that is logged on.
SIGNED_ON: Final = SIGNING[:2]


class Security(Enum):
    """What a request must prove."""

    NONE = "nothing"
    KEY = "an API key"
    READ = "a signature"
    TRADE = "a signature by a key that may trade"

    @property
    def permission(self) -> str:
        """What the key must be allowed to."""
        return "trade" if self is Security.TRADE else "read"

    @property
    def is_signed(self) -> bool:
        """The request carries a signature and a time."""
        return self in (Security.READ, Security.TRADE)


@dataclass(frozen=True)
class Venue:
    """Everything requests act on."""

    exchange: Exchange
    desk: Desk
    accounts: Accounts
    limits: Limits
    user_streams: UserStreams
    #: None while they are switched off, as the venue's are.
    listen_keys: ListenKeys | None = None

    def listing(self, symbol: str) -> Listing:
        """A listed symbol, or -1121."""
        listing = self.exchange.listings.get(symbol)
        if listing is None:
            raise VenueError(-1121, "Invalid symbol.")
        return listing


@dataclass(slots=True)
class Call:
    """One request on its way to its handler: parameters typed, sender known."""

    venue: Venue
    values: Mapping[str, Any]
    now_ns: int
    #: The clock as clients are told, which may be off.
    told_ns: int
    ip: str
    #: What the client wants times in: NS_PER_MS or NS_PER_US.
    unit_ns: int = NS_PER_MS
    owner: tuple[Account, ApiKey] | None = None
    session: WsSession | None = None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def account(self) -> Account:
        """Whose request it is; endpoints that need it demand a key."""
        if self.owner is None:
            raise auth.unknown_key()
        return self.owner[0]

    @property
    def listing(self) -> Listing:
        """Of the parameter `symbol`."""
        return self.venue.listing(self.values["symbol"])

    def stamp(self, time_ns: int) -> int:
        """A time as this client reads it."""
        return time_ns // self.unit_ns


Handler = Callable[[Call], Any]
Weight = int | Callable[[Mapping[str, str]], int]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One line of the table. `rest` is "GET /api/v3/order", `ws` a method's name; either may be absent.

    A handler returns what becomes the JSON body, `orjson.Fragment` for what is text already, or raises VenueError.
    The weight may depend on the parameters, which are text there and not yet checked.
    """

    rest: str | None
    ws: str | None
    handler: Handler
    params: tuple[Param, ...] = ()
    weight: Weight = 1
    security: Security = Security.NONE
    #: Placing and cancelling weigh nothing when they succeed.
    is_free_when_done: bool = False
    #: Its answers tell the account's order counts.
    tells_orders: bool = False

    def weighs(self, sent: Mapping[str, str]) -> int:
        """The weight of a request."""
        return self.weight if isinstance(self.weight, int) else self.weight(sent)
