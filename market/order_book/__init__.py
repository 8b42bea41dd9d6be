"""Price levels of one instrument: kernels over one block of integers, a thin facade, a slow twin. Pure."""

from market.order_book.book import BookFull, OrderBook
from market.order_book.reference import ReferenceBook

__all__ = ["BookFull", "OrderBook", "ReferenceBook"]
