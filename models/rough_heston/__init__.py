"""Rough Heston: options, skews and leverage swaps by Fourier methods, calibration, simulation."""

from models.rough_heston.exponential_kernel import ExponentialKernel, bounded_l2_kernel, geometric_kernel
from models.rough_heston.lifted import LiftedHeston
from models.rough_heston.parameters import ElEuchRosenbaum, RoughHeston, eta_from_nu, nu_from_eta
from models.rough_heston.pricing import european_prices, implied_vol_surface, implied_vols
from models.rough_heston.riccati import RiccatiError, characteristic_function
from models.rough_heston.skew import SkewTermStructure, atm_skew, short_time_skew
from models.rough_heston.variance import ForwardVariance, ForwardVarianceFunction, MeanReversion

__all__ = [
    "ElEuchRosenbaum",
    "ExponentialKernel",
    "ForwardVariance",
    "ForwardVarianceFunction",
    "LiftedHeston",
    "MeanReversion",
    "RiccatiError",
    "RoughHeston",
    "SkewTermStructure",
    "atm_skew",
    "bounded_l2_kernel",
    "characteristic_function",
    "eta_from_nu",
    "european_prices",
    "geometric_kernel",
    "implied_vol_surface",
    "implied_vols",
    "nu_from_eta",
    "short_time_skew",
]
