"""Accounts, balances and orders: what clients own and want, and what the market makes of it."""
