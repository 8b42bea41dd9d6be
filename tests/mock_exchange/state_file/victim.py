"""A process that trades and says of each request when it is kept, until it is killed: `python -m ... FILE SEED`."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from common.messages.base import Side
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.orders import OrderRef, SpotType
from tests.mock_exchange.state_file.build import kept_floor
from tests.mock_exchange.trading.build import ticket


def main() -> None:
    path, seed = sys.argv[1:]
    it, store, restored = kept_floor(Path(path), house=True)
    draw = random.Random(seed)
    print("ready", restored.orders, flush=True)
    while True:
        account = draw.choice(it.accounts.all())
        side, qty = draw.choice(list(Side)), draw.randint(1, 9)
        it.now_ns += 1
        try:
            kind = draw.random()
            if kind < 0.6:
                order = it.place(ticket(side, qty, draw.randint(95, 105)), account)
            elif kind < 0.7:
                order = it.place(ticket(side, qty, None, SpotType.MARKET), account)
            else:
                mine = it.desk.open_orders(account)
                which = OrderRef(draw.choice(mine).order_id if mine else 1)
                order = it.desk.cancel(account, "COINUSDT", which, it.now_ns)
        except VenueError:
            continue
        finally:
            store.flush()
        print(account.name, order.order_id, order.status, order.executed_lots, len(order.fills), flush=True)


if __name__ == "__main__":
    main()
