"""What may be said to governance, what happened, and its refusals; epochs: ``messages_epochs.py``."""

from typing import ClassVar

from shudian.contracts.governance import messages_epochs
from shudian.contracts.roles import Kind, Role
from shudian.kernel import fields
from shudian.kernel.messages import PUBLIC, Authority, Event, Message, Setting
from shudian.kernel.outcomes import Refusal, Reply

VALUES_MAX_COUNT = 400
VALUE_LIMIT = 10**15

SETTINGS = (
    Setting(
        "governance.holidays_day",
        19_700_101,
        99_991_231,
        "法定节假日（工作日放假）",
        "public holidays on weekdays",
        count=0,
        source="国务院办公厅节假日安排",
    ),
    Setting(
        "governance.workdays_day",
        19_700_101,
        99_991_231,
        "调休上班日（周末）",
        "weekend days declared working",
        count=0,
        source="国务院办公厅节假日安排",
    ),
)


class SetSetting(Message):
    """Set the numbers of a setting from a market day on; the past is never changed.

    name: declared by a contract. scope: product, tariff class ... or empty. from_day: first day it holds. values: in the unit that the
    name ends with. source: the rule or notice it comes from.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.OPERATOR,
        sees=PUBLIC,
        when_zh="参数已声明、取值在界内、生效日不早于今天",
        when_en="the setting is declared, its values within bounds, and it starts today or later",
    )

    name: str
    scope: str
    from_day: int
    values: tuple[int, ...]
    source: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.text("name", self.name, 80)
        fields.text("scope", self.scope, 80, 0)
        fields.day("from_day", self.from_day)
        fields.count("values", self.values, 0, VALUES_MAX_COUNT)
        for place, value in enumerate(self.values):
            fields.whole(f"values[{place}]", value, -VALUE_LIMIT, VALUE_LIMIT)
        fields.text("source", self.source, 200)


class AdvanceClock(Message):
    """Move market time forward on a stepped chain; it holds from the next block on."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.OPERATOR,
        sees=PUBLIC,
        when_zh="仅限步进时钟的沙盒链，且时间向前",
        when_en="sandbox chains with a stepped clock only, and forward",
    )

    to_ms: int

    def check(self) -> None:
        """Refuse times outside the calendar."""
        fields.whole("to_ms", self.to_ms, 0, 253_402_300_799_000)


class SettingSet(Event):
    """A setting was set."""

    step: ClassVar[str] = "set"
    zh: ClassVar[str] = "市场参数已设定"
    en: ClassVar[str] = "setting set"

    name: str
    scope: str
    from_day: int
    values: tuple[int, ...]
    source: str


class ClockAdvanced(Event):
    """Market time was moved on a stepped chain."""

    step: ClassVar[str] = "advanced"
    zh: ClassVar[str] = "市场时间已推进"
    en: ClassVar[str] = "market time advanced"

    to_ms: int


SETTING_UNKNOWN = Refusal(2001, "setting_unknown", "没有这个市场参数", "there is no such setting", 404)
SETTING_OUT_OF_BOUNDS = Refusal(
    2002, "setting_out_of_bounds", "参数取值越界", "a value of the setting is out of bounds"
)
SETTING_MISSING = Refusal(
    2003, "setting_missing", "该日没有适用的市场参数", "no value of the setting holds on that day", 409, retry=True
)
SETTING_IS_RETROACTIVE = Refusal(
    2004, "setting_is_retroactive", "参数不得追溯生效", "a setting cannot start in the past"
)
CLOCK_IS_NOT_STEPPED = Refusal(
    2005, "clock_is_not_stepped", "本链使用真实时钟，不可推进", "this chain runs on the wall clock", 409
)
CLOCK_MOVES_FORWARD_ONLY = Refusal(
    2006, "clock_moves_forward_only", "时钟只能向前", "the clock moves forward only", 409
)

REFUSALS: tuple[Refusal, ...] = (
    SETTING_UNKNOWN,
    SETTING_OUT_OF_BOUNDS,
    SETTING_MISSING,
    SETTING_IS_RETROACTIVE,
    CLOCK_IS_NOT_STEPPED,
    CLOCK_MOVES_FORWARD_ONLY,
    *messages_epochs.REFUSALS,
)
EVENTS: tuple[type[Event], ...] = (SettingSet, ClockAdvanced, *messages_epochs.EVENTS)
REPLIES: tuple[type[Reply], ...] = messages_epochs.REPLIES
MESSAGES: tuple[type[Message], ...] = (SetSetting, AdvanceClock, *messages_epochs.MESSAGES)
