"""Cointegration of pairs: tests, corrected for many; hedge ratios, error correction, scores and thresholds."""

from models.cointegration.engle_granger import Direction, EngleGranger, RelationTrend, engle_granger
from models.cointegration.half_life import HalfLife, half_life
from models.cointegration.hedge import Hedge, HedgeMethod, fit_hedge
from models.cointegration.johansen import DeterministicOrder, Johansen, Statistic, johansen
from models.cointegration.lags import Criterion, Trend
from models.cointegration.multiple_testing import CorrectedPValues, correct_p_values
from models.cointegration.null_simulation import ErrorRate, FamilyWiseError, simulate_family_wise_error
from models.cointegration.rolling import RollingScore, rolling_z_score
from models.cointegration.scan import Correction, PairScan, ScannedPair, scan_pairs
from models.cointegration.series import LEVELS
from models.cointegration.signals import PairSignal, Position, Thresholds
from models.cointegration.unit_root import IntegrationOrder, UnitRootTest, integration_order, unit_root
from models.cointegration.vecm import Deterministic, VECMFit, fit_vecm

__all__ = [
    "LEVELS",
    "CorrectedPValues",
    "Correction",
    "Criterion",
    "Deterministic",
    "DeterministicOrder",
    "Direction",
    "EngleGranger",
    "ErrorRate",
    "FamilyWiseError",
    "HalfLife",
    "Hedge",
    "HedgeMethod",
    "IntegrationOrder",
    "Johansen",
    "PairScan",
    "PairSignal",
    "Position",
    "RelationTrend",
    "RollingScore",
    "ScannedPair",
    "Statistic",
    "Thresholds",
    "Trend",
    "UnitRootTest",
    "VECMFit",
    "correct_p_values",
    "engle_granger",
    "fit_hedge",
    "fit_vecm",
    "half_life",
    "integration_order",
    "johansen",
    "rolling_z_score",
    "scan_pairs",
    "simulate_family_wise_error",
    "unit_root",
]
