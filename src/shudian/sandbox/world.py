"""The whole sandbox month in one value: who there is, what happens, what was foreseen, what the spot costs.

``build_world(seed)`` is a pure function: the same seed gives the same bytes on any machine and Python build.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shudian.kernel import clock
from shudian.kernel.units import WH_PER_KWH
from shudian.sandbox.companies import Applicant, Company, applicants, companies
from shudian.sandbox.dice import Dice
from shudian.sandbox.dispatch import Dispatch, dispatch
from shudian.sandbox.loads import Load, load_shapes, loads
from shudian.sandbox.nature import Nature, foreseen, happening
from shudian.sandbox.packaged import JULY_DAYS, PPM, SEGMENTS, SLOTS_PER_SEGMENT, IntArray, province
from shudian.sandbox.plants import Plant, plants
from shudian.sandbox.prices import HourlyPrices, hourly_prices

FIRST_DAY = 20260701
# Losses of the grid as a share of all load (assumption; Sichuan's published rates lie between 2.5 and 8 %).
LOSS_PPM = 30_000


@dataclass(frozen=True)
class Balance:
    """One view of the month (day ahead or actual). In every quarter hour generation = loads + agency + losses, in Wh.

    Arrays have shape (days, 96). ``generation_wh`` and ``load_wh`` are keyed by resource, ``spilled_wh`` (days,) by reservoir.
    """

    load_wh: Mapping[str, IntArray]
    agency_wh: IntArray
    loss_wh: IntArray
    generation_wh: Mapping[str, IntArray]
    spilled_wh: Mapping[str, IntArray]
    cut_wh: Mapping[str, IntArray]
    budget_wh: Mapping[str, IntArray]
    prices: HourlyPrices

    def energy_wh(self, resource_key: str) -> IntArray:
        """Quarter-hour energy of a plant or load, shape (days, 96).

        Raises:
            KeyError: if there is no such resource.
        """
        return self.generation_wh[resource_key] if resource_key in self.generation_wh else self.load_wh[resource_key]


@dataclass(frozen=True)
class World:
    """Everything about one month. Days are counted from 0 inside, :attr:`first_day` (yyyymmdd) is day 0."""

    seed: int
    first_day: int
    days: int
    companies: tuple[Company, ...]
    applicants: tuple[Applicant, ...]
    plants: tuple[Plant, ...]
    loads: tuple[Load, ...]
    actual: Balance
    day_ahead: Balance

    @property
    def dice(self) -> Dice:
        """Chance of this world."""
        return Dice(self.seed)

    @cached_property
    def company_by_key(self) -> Mapping[str, Company]:
        """Companies by key."""
        return {company.key: company for company in self.companies}

    def companies_of(self, *kinds: str) -> tuple[Company, ...]:
        """Companies of these kinds, in order."""
        return tuple(company for company in self.companies if company.kind in kinds)

    def plants_of(self, company_key: str) -> tuple[Plant, ...]:
        """The plants that a generator owns; empty for others."""
        return tuple(plant for plant in self.plants if plant.company_key == company_key)

    def load_of(self, company_key: str) -> Load:
        """The load of a buyer.

        Raises:
            KeyError: if the company is no buyer.
        """
        for load in self.loads:
            if load.company_key == company_key:
                return load
        raise KeyError(company_key)

    def resource_keys_of(self, company_key: str) -> tuple[str, ...]:
        """Keys of all plants and loads of a company."""
        owned: tuple[Plant | Load, ...] = (*self.plants, *self.loads)
        return tuple(resource.key for resource in owned if resource.company_key == company_key)

    def day_at(self, index: int) -> int:
        """The market day (yyyymmdd) of a day counted from 0."""
        return clock.day_after(self.first_day, index)

    def index_of(self, day: int) -> int:
        """The count from 0 of a market day.

        Raises:
            ValueError: if the day is outside the world.
        """
        index = clock.days_between(self.first_day, day)
        if not 0 <= index < self.days:
            message = f"{day} is outside the sandbox month"
            raise ValueError(message)
        return index

    @cached_property
    def energy_kwh(self) -> Mapping[str, IntArray]:
        """Actual energy of each buyer and generator by company key: whole kWh, shape (days, 24), each half away from zero."""
        return {company.key: self._energy_kwh(self.actual, company.key) for company in self._traders}

    @cached_property
    def day_ahead_kwh(self) -> Mapping[str, IntArray]:
        """The same as cleared the day before (Q_da of settlement)."""
        return {company.key: self._energy_kwh(self.day_ahead, company.key) for company in self._traders}

    @cached_property
    def market_space_ppm(self) -> tuple[int, ...]:
        """Share of all generation that the market's buyers need, by segment 市场空间, as the dispatch centre publishes it.

        The rest serves the grid company's agency users and their losses.
        """
        used, generated = (
            sum(self.energy_kwh[company.key].sum(axis=0) for company in self.companies_of(*kinds))
            for kinds in (("retailer", "user"), ("generator",))
        )
        return tuple(int(space) for space in used * (PPM + LOSS_PPM) // generated)

    @property
    def _traders(self) -> tuple[Company, ...]:
        return self.companies_of("generator", "retailer", "user")

    def _energy_kwh(self, balance: Balance, company_key: str) -> IntArray:
        total = np.zeros((self.days, SEGMENTS), dtype=np.int64)
        for key in self.resource_keys_of(company_key):
            total += balance.energy_wh(key).reshape(self.days, SEGMENTS, SLOTS_PER_SEGMENT).sum(axis=2)
        return (total + WH_PER_KWH // 2) // WH_PER_KWH


def build_world(seed: int, days: int = JULY_DAYS) -> World:
    """The sandbox month of a seed, its first ``days`` days (1 to 31).

    Raises:
        ValueError: if ``days`` is outside 1 to 31.
    """
    if not 1 <= days <= JULY_DAYS:
        message = f"days must lie between 1 and {JULY_DAYS}, not {days}"
        raise ValueError(message)
    dice = Dice(seed)
    fleet, users = plants(), loads()
    truth = happening(dice, days, users, load_shapes(), fleet, province())
    plan = foreseen(dice, days, fleet, truth)
    return World(
        seed=seed,
        first_day=FIRST_DAY,
        days=days,
        companies=companies(),
        applicants=applicants(),
        plants=fleet,
        loads=users,
        actual=_balance(dice, "real_time", fleet, truth),
        day_ahead=_balance(dice, "day_ahead", fleet, plan),
    )


def _balance(dice: Dice, market: str, fleet: tuple[Plant, ...], nature: Nature) -> Balance:
    use_wh = nature.agency_wh.copy()
    for wh in nature.load_wh.values():
        use_wh += wh
    loss_wh = use_wh * LOSS_PPM // PPM
    schedule: Dispatch = dispatch(fleet, use_wh + loss_wh, nature.available_wh, nature.budget_wh)
    return Balance(
        load_wh=nature.load_wh,
        agency_wh=nature.agency_wh,
        loss_wh=loss_wh,
        generation_wh=schedule.generation_wh,
        spilled_wh=schedule.spilled_wh,
        cut_wh=schedule.cut_wh,
        budget_wh=nature.budget_wh,
        prices=hourly_prices(dice, market, fleet, schedule),
    )
