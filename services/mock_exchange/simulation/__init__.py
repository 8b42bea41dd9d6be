"""The simulated market: fundamental prices, order flow, one matching engine a symbol, on a virtual clock."""
