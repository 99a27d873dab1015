"""Spot prices by hour from the offer of the marginal plant, for the day ahead and in real time.

Coal and gas offer their marginal cost. A reservoir offers its water's value: what the hour is usually worth, more where the
river is low, and next to nothing - down to the spot floor - in hours of a day whose water cannot all be used. The plant
that sets the price is the dearest one that runs strictly between its limits; if none does, the dearest that runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shudian.sandbox.dice import Dice
from shudian.sandbox.dispatch import Dispatch
from shudian.sandbox.packaged import PPM, SEGMENTS, SLOTS_PER_SEGMENT, WH_PER_KW_SLOT, IntArray
from shudian.sandbox.plants import Plant

SPOT_FLOOR_MYUAN_MWH = -50_000
SPOT_CAP_MYUAN_MWH = 800_000

# What an hour of July is usually worth, h1 to h24: low at night and in the solar noon, high from 17 to 22 (domain 3.11),
# around the level of July's regular trades (domain 3.9).
HOUR_VALUE_MYUAN_MWH = (
    140_000, 135_000, 130_000, 130_000, 132_000, 138_000, 152_000, 172_000, 180_000, 182_000, 178_000, 172_000,
    166_000, 164_000, 166_000, 172_000, 188_000, 222_000, 252_000, 266_000, 262_000, 238_000, 196_000, 164_000,
)  # fmt: skip

_WH_PER_KW_HOUR = WH_PER_KW_SLOT * SLOTS_PER_SEGMENT
_CUT_THRESHOLD_WH = 1_000_000  # 1 MWh: rounding alone cuts less and sets no price
_REGULATION_VALUE_PPM = {"daily": 950_000, "seasonal": 1_030_000, "annual": 1_070_000, "multi_year": 1_120_000}


@dataclass(frozen=True)
class HourlyPrices:
    """``price_myuan_mwh`` by day and segment, whole 10 milli-yuan; ``set_by`` names the plant that set it."""

    price_myuan_mwh: tuple[tuple[int, ...], ...]
    set_by: tuple[tuple[str, ...], ...]


def water_value_ppm(dice: Dice, plant: Plant) -> int:
    """A plant's water against the hour's usual value: long storage is worth more, and owners differ."""
    return _REGULATION_VALUE_PPM.get(plant.regulation, 800_000) + dice.error_ppm(35_000, "water value", plant.key)


def hourly_prices(dice: Dice, market: str, plants: Sequence[Plant], schedule: Dispatch) -> HourlyPrices:
    """Prices of one market (``day_ahead`` or ``real_time``) from its dispatch."""
    setters = [plant for plant in plants if plant.is_reservoir or plant.is_thermal]
    wasting = _hours_of_waste(schedule)
    output = np.stack([_hourly_wh(schedule.generation_wh[plant.key]) for plant in setters])
    offers = np.stack([_offers(dice, market, plant, wasting) for plant in setters])
    least = np.array([plant.min_output_kw for plant in setters])[:, np.newaxis, np.newaxis] * _WH_PER_KW_HOUR
    most = np.array([plant.capacity_kw for plant in setters])[:, np.newaxis, np.newaxis] * _WH_PER_KW_HOUR
    lowest = np.iinfo(np.int64).min
    between = np.where((output > least) & (output < most), offers, lowest)
    running = np.where(output > 0, offers, lowest)
    candidates = np.where(between.max(axis=0) > lowest, between, running)
    winner = candidates.argmax(axis=0)
    price = np.clip(candidates.max(axis=0) // 10 * 10, SPOT_FLOOR_MYUAN_MWH, SPOT_CAP_MYUAN_MWH)
    return HourlyPrices(
        price_myuan_mwh=tuple(tuple(int(value) for value in day) for day in price),
        set_by=tuple(tuple(setters[int(index)].key for index in day) for day in winner),
    )


def _hourly_wh(slots_wh: IntArray) -> IntArray:
    hourly: IntArray = slots_wh.reshape(len(slots_wh), SEGMENTS, SLOTS_PER_SEGMENT).sum(axis=2)
    return hourly


def _hours_of_waste(schedule: Dispatch) -> NDArray[np.bool_]:
    """Hours in which water or wind that came by itself could not be taken."""
    cut = sum(_hourly_wh(wh) for wh in schedule.cut_wh.values())
    return np.asarray(cut > _CUT_THRESHOLD_WH)


def _offers(dice: Dice, market: str, plant: Plant, wasting: NDArray[np.bool_]) -> IntArray:
    days = len(wasting)
    if plant.is_thermal:
        return np.full((days, SEGMENTS), plant.marginal_cost_myuan_mwh, dtype=np.int64)
    own_ppm = water_value_ppm(dice, plant)
    offers = []
    for day in range(days):
        day_ppm = own_ppm + dice.error_ppm(25_000, market, "offer", plant.key, day)
        offers.append([
            dice.between(-50_000, 10_000, market, "spill", plant.key, day, segment)
            if wasting[day, segment]
            else HOUR_VALUE_MYUAN_MWH[segment] * day_ppm // PPM
            for segment in range(SEGMENTS)
        ])  # fmt: skip
    return np.array(offers, dtype=np.int64)
