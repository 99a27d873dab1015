"""What may be said about meters and their readings, what happened, and the refusals (domain 2.2, 4.1)."""

from enum import StrEnum
from typing import ClassVar

from shudian.contracts.roles import Kind, Role
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import Authority, Event, Message, Setting
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply
from shudian.kernel.units import PPM, SLOTS_PER_DAY

METERS_MAX_COUNT = 2_000
READING_BYTES = 4
DAY_BYTES = SLOTS_PER_DAY * READING_BYTES
"""Bytes of one meter's day: 96 little-endian signed 32-bit integers."""

MISSING_WH = -1


class Direction(StrEnum):
    """Which way the energy of a meter flows: fed in 上网, or drawn 用电."""

    GENERATION = "generation"
    LOAD = "load"


class Meter(Record):
    """A meter bound to a resource, with its register.

    resource_id: what it measures. owner_id: that resource's owner. direction. code: number on the device. from_day,
    last_day: first and last day it counts, last_day 0 while it is bound. total_wh: energy of all accepted days.
    total_kwh: what of it was given out in whole kWh. carry_wh: the rest, given to the next accepted day; 0-999 but for
    corrections of earlier days.
    """

    resource_id: int
    owner_id: int
    direction: Direction
    code: str
    from_day: int
    last_day: int = 0
    total_wh: int = 0
    total_kwh: int = 0
    carry_wh: int = 0

    def counts_on(self, day: int) -> bool:
        """Whether the meter is bound on a day."""
        return self.from_day <= day and (not self.last_day or day <= self.last_day)


SETTINGS = (
    Setting(
        "metering.plausible_max_ppm",
        1,
        10 * PPM,
        "合理性上限：每刻钟电量占容量×15分钟的比例",
        "plausibility: greatest energy of a slot as a share of capacity times a quarter hour",
        source="平台设定",
    ),
    Setting(
        "metering.completeness_target_ppm",
        0,
        PPM,
        "数据完整率目标",
        "target share of slots that were measured",
        source="计量数据完整率 ≥ 98%",
    ),
    Setting(
        "metering.profile_lookback_count",
        1,
        400,
        "补数可追溯的天数",
        "how many days back a profile for missing readings may lie",
        source="平台设定",
    ),
)

_METER_ROLE = Authority(
    kinds=(Kind.GRID_COMPANY,),
    role=Role.METER,
    when_zh="资源已生效，表号未占用，自当日起",
    when_en="the resource is active, the code is free, from today on",
)


class BindMeter(Message):
    """Bind a meter to a resource from a day on. direction: generation for plants and units, load for loads, either for storage."""

    authority: ClassVar[Authority] = _METER_ROLE

    code: str
    resource_id: int
    direction: Direction
    from_day: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.text("code", self.code, 40)
        fields.day("from_day", self.from_day)


class UnbindMeter(Message):
    """End a meter's binding. last_day: the last day it counts, yesterday or later."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.GRID_COMPANY,),
        role=Role.METER,
        when_zh="电表在用",
        when_en="the meter is bound",
    )

    meter_id: int
    last_day: int

    def check(self) -> None:
        """Refuse a day outside the calendar."""
        fields.day("last_day", self.last_day)


class SubmitReadings(Message):
    """Submit one whole day of many meters; the message stands or falls as a whole.

    day: it has ended. meter_ids: strictly rising, at most 2,000. values_wh: for each meter in that order 96
    little-endian signed 32-bit integers, the Wh of each quarter hour; -1 marks a missing one.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.GRID_COMPANY,),
        role=Role.METER,
        when_zh="当日已结束，各表在用且该日未报",
        when_en="the day has ended, each meter is bound and has no readings of that day yet",
    )

    day: int
    meter_ids: tuple[int, ...]
    values_wh: bytes

    def check(self) -> None:
        """Refuse malformed columns."""
        fields.day("day", self.day)
        fields.count("meter_ids", self.meter_ids, 1, METERS_MAX_COUNT)
        fields.rising("meter_ids", self.meter_ids)
        _check_length(self.values_wh, len(self.meter_ids))


class CorrectReadings(Message):
    """Replace the accepted day of one meter; the former version is kept. values_wh: 96 readings as in SubmitReadings."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.GRID_COMPANY,),
        role=Role.METER,
        when_zh="该日已有读数，且取值有变",
        when_en="the day has readings, and the new ones differ",
    )

    meter_id: int
    day: int
    values_wh: bytes
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.day("day", self.day)
        _check_length(self.values_wh, 1)
        fields.text("reason", self.reason, 200)


def _check_length(values_wh: bytes, meter_count: int) -> None:
    wanted = meter_count * DAY_BYTES
    if len(values_wh) != wanted:
        raise FIELD_NOT_ALLOWED("values_wh", fields.in_bytes(len(values_wh)), fields.in_bytes(wanted))


class MeterDay(Record):
    """What was accepted for one meter and day.

    values_wh: 96 accepted readings, little-endian signed 32-bit. energy_wh: their sum. energy_kwh: what the day gives
    out in whole kWh. estimated_slots: slots 0-95 whose value was estimated. suspect_slots: those among them that were
    reported but not plausible.
    """

    meter_id: int
    owner_id: int
    direction: Direction
    values_wh: bytes
    energy_wh: int
    energy_kwh: int
    estimated_slots: tuple[int, ...]
    suspect_slots: tuple[int, ...]


class MeterBound(Event):
    """A meter was bound to a resource."""

    step: ClassVar[str] = "bound"
    zh: ClassVar[str] = "电表已绑定"
    en: ClassVar[str] = "meter bound"

    meter_id: int
    meter: Meter


class MeterUnbound(Event):
    """A meter's binding ends with a day."""

    step: ClassVar[str] = "unbound"
    zh: ClassVar[str] = "电表已解绑"
    en: ClassVar[str] = "meter unbound"

    meter_id: int
    last_day: int


class ReadingsAccepted(Event):
    """A day of many meters was accepted. completeness_ppm: share of slots that were measured; target_ppm: what is aimed at.

    Only the grid company and oversight see this event whole; members see their own days in the read tables.
    """

    step: ClassVar[str] = "accepted"
    zh: ClassVar[str] = "计量数据已接收"
    en: ClassVar[str] = "readings accepted"

    day: int
    days: tuple[MeterDay, ...]
    completeness_ppm: int
    target_ppm: int


class ReadingsEstimated(Event):
    """Some readings of a meter and day were missing or not plausible, and were estimated.

    readings_version: of the day's readings. interpolated_slots: gaps of at most two slots. profile_slots: longer gaps,
    filled from profile_day (0 if none was needed). suspect_slots: reported but not plausible, among both.
    """

    step: ClassVar[str] = "estimated"
    zh: ClassVar[str] = "缺失或可疑读数已补估"
    en: ClassVar[str] = "missing or suspect readings estimated"

    meter_id: int
    owner_id: int
    day: int
    readings_version: int
    interpolated_slots: tuple[int, ...]
    profile_slots: tuple[int, ...]
    suspect_slots: tuple[int, ...]
    profile_day: int


class ReadingsCorrected(Event):
    """The readings of a meter and day were replaced. readings_version: the new one. before_kwh: what the former version gave out."""

    step: ClassVar[str] = "corrected"
    zh: ClassVar[str] = "计量数据已更正"
    en: ClassVar[str] = "readings corrected"

    day: int
    readings_version: int
    before_kwh: int
    reason: str
    reading: MeterDay


class MeterReply(Reply):
    """The number given to a bound meter."""

    meter_id: int


class ReadingsReply(Reply):
    """What was accepted: energy of all meters, slots estimated, share of slots measured."""

    energy_kwh: int
    estimated_count: int
    completeness_ppm: int


class CorrectionReply(Reply):
    """The new version, and what it gives out."""

    version: int
    energy_kwh: int


METER_UNKNOWN = Refusal(7001, "meter_unknown", "没有这块电表", "there is no such meter", 404)
METER_CODE_IN_USE = Refusal(7002, "meter_code_in_use", "表号已绑定", "the meter code is bound already", 409)
READINGS_MISSING = Refusal(
    7003, "readings_missing", "该表该日尚无读数", "the meter has no readings of that day yet", 409, retry=True
)
DIRECTION_DOES_NOT_FIT = Refusal(
    7004, "direction_does_not_fit", "计量方向与资源类型不符", "the direction does not fit the type of resource"
)
METERED_ALREADY = Refusal(
    7005, "metered_already", "电厂与其机组不得重复计量", "a plant and its units cannot both be metered", 409
)
BINDING_DAY_NOT_ALLOWED = Refusal(
    7006, "binding_day_not_allowed", "起止日不合规", "the binding cannot start or end on that day"
)
DAY_NOT_OVER = Refusal(7007, "day_not_over", "该日尚未结束", "the day is not over yet", 409, retry=True)
METER_NOT_BOUND = Refusal(7008, "meter_not_bound", "电表在该日未绑定", "the meter is not bound on that day", 409)
READINGS_EXIST = Refusal(
    7009, "readings_exist", "该表该日已有读数，请用更正", "the day has readings already; send a correction", 409
)
NOTHING_TO_ESTIMATE_FROM = Refusal(
    7010,
    "nothing_to_estimate_from",
    "缺数过多且无历史曲线可补",
    "too many readings are missing and no earlier day can stand in",
)
READINGS_ARE_THE_SAME = Refusal(7011, "readings_are_the_same", "与现有读数相同", "the readings hold already", 409)

REFUSALS: tuple[Refusal, ...] = (
    METER_UNKNOWN,
    METER_CODE_IN_USE,
    READINGS_MISSING,
    DIRECTION_DOES_NOT_FIT,
    METERED_ALREADY,
    BINDING_DAY_NOT_ALLOWED,
    DAY_NOT_OVER,
    METER_NOT_BOUND,
    READINGS_EXIST,
    NOTHING_TO_ESTIMATE_FROM,
    READINGS_ARE_THE_SAME,
)
EVENTS: tuple[type[Event], ...] = (MeterBound, MeterUnbound, ReadingsAccepted, ReadingsEstimated, ReadingsCorrected)
REPLIES: tuple[type[Reply], ...] = (MeterReply, ReadingsReply, CorrectionReply)
MESSAGES: tuple[type[Message], ...] = (BindMeter, UnbindMeter, SubmitReadings, CorrectReadings)
