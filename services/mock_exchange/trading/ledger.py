"""What an account owns: free and locked, per asset, in 1e-8."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Ledger:
    """Balances of one account. Nothing leaves but by `pay`, so the sum over all accounts never changes.

    The house stands for everybody outside: the simulated traders, depositors, the venue that earns the fees. What
    clients own, it owes; its balances may be negative, no other's.
    """

    __slots__ = ("_free", "_is_house", "_locked")

    def __init__(self, *, is_house: bool = False) -> None:
        self._free: dict[str, int] = {}
        self._locked: dict[str, int] = {}
        self._is_house = is_house

    def free(self, asset: str) -> int:
        """What can be used for an order."""
        return self._free.get(asset, 0)

    def locked(self, asset: str) -> int:
        """What open orders hold."""
        return self._locked.get(asset, 0)

    def has(self, asset: str) -> bool:
        """The asset is, or once was, owned."""
        return asset in self._free

    def total(self, asset: str) -> int:
        """Free and locked."""
        return self.free(asset) + self.locked(asset)

    def balances(self) -> Iterator[tuple[str, int, int]]:
        """(asset, free, locked) of every asset the account ever had, in the order it came to them."""
        for asset, free in self._free.items():
            yield asset, free, self.locked(asset)

    def lock(self, asset: str, amount: int) -> None:
        """Keep `amount` for an order.

        Raises:
            ValueError: less is free.
        """
        self._take_free(asset, amount)
        self._locked[asset] = self.locked(asset) + amount

    def unlock(self, asset: str, amount: int) -> None:
        """Give `amount` back that an order no longer needs.

        Raises:
            ValueError: less is locked.
        """
        self._take_locked(asset, amount)
        self._free[asset] = self.free(asset) + amount

    def pay(self, to: Ledger, asset: str, amount: int, *, of_locked: bool = False) -> None:
        """Hand `amount` over to another account, out of what is locked or of what is free.

        Raises:
            ValueError: there is less than that.
        """
        if of_locked:
            self._take_locked(asset, amount)
        else:
            self._take_free(asset, amount)
        to._free[asset] = to.free(asset) + amount

    def restore(self, balances: Iterable[tuple[str, int, int]]) -> None:
        """Own exactly these (asset, free, locked), as before a restart."""
        owned = tuple(balances)
        self._free = {asset: free for asset, free, _ in owned}
        self._locked = {asset: locked for asset, _, locked in owned}

    def _take_free(self, asset: str, amount: int) -> None:
        left = self.free(asset) - amount
        if amount < 0 or (left < 0 and not self._is_house):
            raise ValueError(f"cannot take {amount} of {self.free(asset)} {asset} that are free (in 1e-8)")
        self._free[asset] = left

    def _take_locked(self, asset: str, amount: int) -> None:
        left = self.locked(asset) - amount
        if amount < 0 or left < 0:
            raise ValueError(f"cannot take {amount} of {self.locked(asset)} {asset} that are locked (in 1e-8)")
        self._locked[asset] = left
