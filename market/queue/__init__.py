"""Orders of ours in a market that was recorded level by level: matching with an estimated place in the queue.

The mock exchange's replay trades on it, and backtests on captures do. See docs/market_data/queue_model.md.
"""

from market.queue.cancels import CancelRule, behind_first, power, proportional, root
from market.queue.recorded_book import RECORDED, RecordedBook

__all__ = ["RECORDED", "CancelRule", "RecordedBook", "behind_first", "power", "proportional", "root"]
