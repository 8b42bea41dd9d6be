"""What has traded: trades, klines and statistics of a symbol, and the synthetic past before its market began."""
