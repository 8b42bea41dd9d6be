"""Accounts as configured, with their secrets from the environment and their public keys from files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from common.config import MockExchangeConfig
from common.config.mock_accounts import FeeTierConfig, MockApiKeyConfig
from common.errors import ConfigError
from common.runtime.secrets import require_secret
from common.units import bps_to_ppm
from services.mock_exchange.trading.accounts import DEMO_ACCOUNT, Accounts, AccountSpec, ApiKey, KeyKind
from services.mock_exchange.trading.amounts import amount_of
from services.mock_exchange.trading.fees import FeeSchedule, FeeTier


def accounts_from(config: MockExchangeConfig) -> Accounts:
    """The demo account, unless switched off, and the configured ones.

    Raises:
        ConfigError: a secret is not set, a public key cannot be read, or a balance is finer than 1e-8.
    """
    specs = []
    if config.demo_account:
        specs.append(replace(DEMO_ACCOUNT, balances=config.demo_balances))
    for index, account in enumerate(config.accounts):
        keys = tuple(
            _key(key, f"mock_exchange.accounts[{index}].api_keys[{number}]")
            for number, key in enumerate(account.api_keys)
        )
        specs.append(AccountSpec(account.name, account.balances, keys))
    try:
        return Accounts(specs, FeeSchedule(tuple(map(_tier, config.fee_tiers))))
    except ValueError as exc:
        raise ConfigError("mock_exchange.accounts", str(exc), "Correct the account") from exc


def _key(config: MockApiKeyConfig, where: str) -> ApiKey:
    kind = KeyKind(config.kind)
    permissions = frozenset({"read", "trade"} if config.can_trade else {"read"})
    if config.secret_variable is not None:
        secret = require_secret(config.secret_variable, f"{where} is verified with it").get_secret_value()
        return ApiKey(config.api_key, secret, kind, permissions)
    path = Path(config.public_key_file or "")
    try:
        return ApiKey(config.api_key, path.read_text("ascii"), kind, permissions)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(
            f"{where}.public_key_file", f"{path} cannot be read ({exc})", "Give the path of a public key in PEM"
        ) from exc


def _tier(tier: FeeTierConfig) -> FeeTier:
    return FeeTier(amount_of(tier.volume_30d), bps_to_ppm(tier.maker_bps), bps_to_ppm(tier.taker_bps))
