"""A recorded market, served again."""
