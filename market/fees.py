"""Commission, exact.

A venue quotes its rate as a share of the traded notional and books every fill's commission with eight decimals. We
state the rate in parts per million and the commission in 1e-8 of the quote currency, and round **up** to the next
1e-8: venues do not document which way they round, and a paper account must never look cheaper than the real one.
The error is below 1e-8 a fill. (Spot venues take a buyer's commission out of the bought asset; charging its worth in
quote currency keeps quantities exact and the P&L the same.)
"""

from __future__ import annotations

from typing import Final

from common.messages import Instrument
from common.units import FEE_SCALE, PPM

#: fee_e8 = notional x ppm / PPM x FEE_SCALE
_E8_PER_PPM: Final = FEE_SCALE // PPM


def fee_e8(instrument: Instrument, price_ticks: int, qty_lots: int, rate_ppm: int) -> int:
    """Commission of one fill in 1e-8 of the quote currency, rounded up.

    Args:
        instrument: gives what one tick x one lot is worth.
        price_ticks: price of the fill, >= 0.
        qty_lots: size of the fill, >= 0.
        rate_ppm: share of the notional in parts per million; 10 basis points are 1000. Negative is a rebate
            (rounded up as well: towards a smaller rebate).
    """
    numerator, denominator = instrument.tick_lot_value.as_integer_ratio()
    return -(-price_ticks * qty_lots * rate_ppm * _E8_PER_PPM * numerator // denominator)
