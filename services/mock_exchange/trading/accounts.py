"""Accounts and the keys that open them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from common.config import mock_accounts
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.amounts import amount_of
from services.mock_exchange.trading.fees import FeeSchedule, TradedVolume
from services.mock_exchange.trading.ledger import Ledger

#: Account ids begin at 1; this one is nobody's.
HOUSE_ID: Final = 0


class KeyKind(StrEnum):
    """How a key signs."""

    HMAC = "HMAC"
    ED25519 = "ED25519"
    RSA = "RSA"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key: HMAC keys share a secret with their owner, the others leave a public key in PEM."""

    key: str
    secret_or_public_pem: str = field(repr=False)
    kind: KeyKind = KeyKind.HMAC
    permissions: frozenset[str] = frozenset({"read", "trade"})


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account as configured."""

    name: str
    balances: Mapping[str, Decimal]
    keys: tuple[ApiKey, ...] = ()
    can_trade: bool = True


#: Ample, and its secret is known to all: for a server on the loopback only.
DEMO_ACCOUNT: Final = AccountSpec(
    name=mock_accounts.DEMO_ACCOUNT,
    balances=mock_accounts.demo_balances(),
    keys=(ApiKey(mock_accounts.DEMO_API_KEY, mock_accounts.DEMO_SECRET),),
)


class Account:
    """One client: balances, traded volume, what it may do."""

    __slots__ = ("_schedule", "account_id", "can_trade", "keys", "ledger", "name", "volume")

    def __init__(self, account_id: int, spec: AccountSpec, schedule: FeeSchedule) -> None:
        self.account_id = account_id
        self.name = spec.name
        self.keys = spec.keys
        self.can_trade = spec.can_trade
        self.ledger = Ledger()
        self.volume = TradedVolume()
        self._schedule = schedule

    @property
    def permissions(self) -> tuple[str, ...]:
        """Markets it may use, as `GET account` names them."""
        return ("SPOT",)

    def fees(self, listing: Listing) -> tuple[int, int]:
        """(maker_ppm, taker_ppm) on that symbol now."""
        return self._schedule.rates(listing.symbol, self.volume.total)


class Accounts:
    """Every account, and the house.

    Raises:
        ValueError: two accounts share a key, or a balance is finer than 1e-8.
    """

    def __init__(self, specs: Iterable[AccountSpec] = (DEMO_ACCOUNT,), schedule: FeeSchedule | None = None) -> None:
        self.schedule = schedule or FeeSchedule()
        self.house = Ledger(is_house=True)
        self._accounts: dict[int, Account] = {}
        self._by_key: dict[str, tuple[Account, ApiKey]] = {}
        for spec in specs:
            self.open(spec)

    def open(self, spec: AccountSpec) -> Account:
        """A new account, its balances paid in."""
        for key in spec.keys:
            if key.key in self._by_key:
                raise ValueError(f"the API key {key.key!r} belongs to two accounts; give each its own")
        account = Account(len(self._accounts) + 1, spec, self.schedule)
        for asset, balance in spec.balances.items():
            self.house.pay(account.ledger, asset, amount_of(balance))
        self._accounts[account.account_id] = account
        self._by_key.update((key.key, (account, key)) for key in spec.keys)
        return account

    def __getitem__(self, account_id: int) -> Account:
        return self._accounts[account_id]

    def by_key(self, api_key: str) -> tuple[Account, ApiKey] | None:
        """The account a key opens."""
        return self._by_key.get(api_key)

    def all(self) -> tuple[Account, ...]:
        """Every account but the house."""
        return tuple(self._accounts.values())
