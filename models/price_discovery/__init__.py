"""Price discovery: who finds the price (shares of markets), who moves first, and how two series move together."""

from models.price_discovery.bootstrap import ShareErrors, bootstrap_errors
from models.price_discovery.estimation import VECMErrors, VECMFit, fit_vecm, select_lags
from models.price_discovery.hayashi_yoshida import (
    HayashiYoshida,
    hayashi_yoshida,
    hayashi_yoshida_covariance,
    previous_tick_correlation,
    realised_variance,
)
from models.price_discovery.lead_lag import LeadLag, lead_lag
from models.price_discovery.shares import (
    InformationShares,
    PriceDiscoveryShares,
    component_shares,
    information_leadership_shares,
    information_shares,
    modified_information_shares,
    price_discovery_shares,
)
from models.price_discovery.simulation import simulate_lagged_pair
from models.price_discovery.ticks import Sampled, Ticks, previous_tick, sample
from models.price_discovery.vecm import VECMParameters, common_trend_weights, price_differences, simulate_vecm

__all__ = [
    "HayashiYoshida",
    "InformationShares",
    "LeadLag",
    "PriceDiscoveryShares",
    "Sampled",
    "ShareErrors",
    "Ticks",
    "VECMErrors",
    "VECMFit",
    "VECMParameters",
    "bootstrap_errors",
    "common_trend_weights",
    "component_shares",
    "fit_vecm",
    "hayashi_yoshida",
    "hayashi_yoshida_covariance",
    "information_leadership_shares",
    "information_shares",
    "lead_lag",
    "modified_information_shares",
    "previous_tick",
    "previous_tick_correlation",
    "price_differences",
    "price_discovery_shares",
    "realised_variance",
    "sample",
    "select_lags",
    "simulate_lagged_pair",
    "simulate_vecm",
]
