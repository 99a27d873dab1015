"""The auditor of meters, on top of :mod:`tests.property.auditor_trading`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shudian.contracts.metering.messages import (
    DAY_NOT_OVER,
    METER_NOT_BOUND,
    NOTHING_TO_ESTIMATE_FROM,
    READINGS_ARE_THE_SAME,
    READINGS_EXIST,
    READINGS_MISSING,
    MeterDay,
)
from shudian.contracts.trading.messages import Side
from tests.property.auditor import Reasons, justified, plus_days, rounded
from tests.property.auditor_trading import TradingAuditor

SLOTS, SEGMENTS = 96, 24
LOOKBACK_DAYS = 31


@dataclass
class MeteredDay:
    """One accepted day in its present version."""

    reported: tuple[int, ...]
    wh: int
    carry_in_wh: int
    segments_kwh: list[int]


@dataclass
class Meter:
    """sign: +1 draws from the grid, -1 feeds in. transmission, demand: what its load owes, 0 for a plant."""

    owner_id: int
    sign: int
    capacity_kw: int
    from_day: int
    transmission_e8yuan_kwh: int = 0
    demand_fen: int = 0
    carry_wh: int = 0
    days: dict[int, MeteredDay] = field(default_factory=dict)

    def bad_slots(self, reported: Sequence[int]) -> list[int]:
        """Missing, negative, or more than 120 % of the capacity for a quarter hour."""
        most_wh = rounded(self.capacity_kw * 250 * 12, 10)
        return [slot for slot, wh in enumerate(reported) if not 0 <= wh <= most_wh]

    def needs_profile(self, reported: Sequence[int]) -> bool:
        bad = set(self.bad_slots(reported))
        return any({slot, slot + 1, slot + 2} <= bad for slot in range(SLOTS - 2))

    def has_profile(self, day: int) -> bool:
        return any(plus_days(day, -back) in self.days for back in range(1, LOOKBACK_DAYS + 1))

    def accept(self, day: int, reported: tuple[int, ...], told: MeterDay, values_wh: tuple[int, ...]) -> None:
        """Good slots are taken as reported, and whole kWh are given out of the running sum of Wh."""
        bad = self.bad_slots(reported)
        assert list(told.estimated_slots) == bad
        assert not self.bad_slots(values_wh)
        assert all(values_wh[slot] == reported[slot] for slot in range(SLOTS) if slot not in bad)
        former = self.days.get(day)
        carry_in_wh = self.carry_wh if former is None else former.carry_in_wh
        running_wh, given_kwh, segments_kwh = carry_in_wh, 0, []
        for segment in range(SEGMENTS):
            running_wh += sum(values_wh[segment * 4 : segment * 4 + 4])
            segments_kwh.append(max(0, running_wh // 1_000 - given_kwh))
            given_kwh += segments_kwh[-1]
        assert told.energy_kwh == given_kwh
        self.days[day] = MeteredDay(reported, sum(values_wh), carry_in_wh, segments_kwh)
        self.carry_wh += sum(values_wh) - 1_000 * given_kwh
        if former is not None:
            self.carry_wh -= former.wh - 1_000 * sum(former.segments_kwh)


class MeteringAuditor(TradingAuditor):
    """Readings on top of trade."""

    def __init__(
        self,
        opening: dict[int, int],
        now_ms: int,
        capability_kw: dict[tuple[int, Side], int],
        meters: dict[int, Meter],
    ) -> None:
        super().__init__(opening, now_ms, capability_kw)
        self.meters = meters

    def why_not_submit(self, day: int, columns: dict[int, tuple[int, ...]]) -> Reasons:
        pairs = [(self.meters[meter_id], reported) for meter_id, reported in columns.items()]
        return justified(
            (day >= self.today, DAY_NOT_OVER),
            (any(day < meter.from_day for meter, _ in pairs), METER_NOT_BOUND),
            (any(day in meter.days for meter, _ in pairs), READINGS_EXIST),
            (any(self._cannot_fill(meter, day, reported) for meter, reported in pairs), NOTHING_TO_ESTIMATE_FROM),
        )

    @staticmethod
    def _cannot_fill(meter: Meter, day: int, reported: Sequence[int]) -> bool:
        return meter.needs_profile(reported) and not meter.has_profile(day)

    def why_not_correct(self, meter_id: int, day: int, reported: tuple[int, ...]) -> Reasons:
        meter = self.meters[meter_id]
        if day not in meter.days:
            return [READINGS_MISSING]
        return justified(
            (reported == meter.days[day].reported, READINGS_ARE_THE_SAME),
            (self._cannot_fill(meter, day, reported), NOTHING_TO_ESTIMATE_FROM),
        )
