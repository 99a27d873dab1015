"""What governance decides, and the verbs by which the contracts above read settings and the calendar."""

from collections.abc import Mapping
from typing import Any

from shudian.contracts.governance.messages import (
    CLOCK_IS_NOT_STEPPED,
    CLOCK_MOVES_FORWARD_ONLY,
    EVENTS,
    REFUSALS,
    REPLIES,
    SETTING_IS_RETROACTIVE,
    SETTING_MISSING,
    SETTING_OUT_OF_BOUNDS,
    SETTING_UNKNOWN,
    SETTINGS,
    AdvanceClock,
    ClockAdvanced,
    SetSetting,
    SettingSet,
)
from shudian.contracts.governance.messages_epochs import HandOutEpoch, RotateEpoch
from shudian.contracts.governance.rules_epochs import begin_epoch, hand_out_epoch
from shudian.contracts.governance.state import INVARIANTS, SETTING_ROWS, TABLES, SettingRow
from shudian.kernel import clock, fields
from shudian.kernel.contract import BlockContext, Context, Contract
from shudian.kernel.machine import CLOCK, STEPPED, advance_clock
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, number_in

HOLIDAYS = "governance.holidays_day"
WORKDAYS = "governance.workdays_day"


def setting_values(at: HasStore, name: str, day: int, scope: str = "") -> tuple[int, ...]:
    """The numbers of a setting that hold on a day, for a scope or else for all scopes.

    Refuses: 2003 if none holds.
    """
    for wanted in (scope, "") if scope else ("",):
        found: SettingRow | None = None
        for key, row in SETTING_ROWS.range(at, name, wanted):
            if number_in(key) > day:
                break
            found = row
        if found is not None:
            return found.values
    raise SETTING_MISSING(name, scope, both(f"在 {day} 有效的值", f"a value in force on {day}"))


def setting(at: HasStore, name: str, day: int, scope: str = "") -> int:
    """The one number of a setting that holds on a day. Refuses: 2003."""
    return setting_values(at, name, day, scope)[0]


def working_day(at: HasStore, day: int, count: int) -> int:
    """The ``count``-th working day after ``day`` by the calendar of holidays and shifted workdays (调休)."""
    holidays = setting_values(at, HOLIDAYS, day)
    workdays = setting_values(at, WORKDAYS, day)
    return clock.working_day(day, count, holidays, workdays)


def set_setting(ctx: Context, message: SetSetting) -> None:
    """Set a setting from a day on. Refuses: 2001, 2002, 2004. Emits: SettingSet."""
    today = clock.day_of(ctx.market_ms)
    _check_values(ctx, message)
    if message.from_day < today:
        raise SETTING_IS_RETROACTIVE("from_day", message.from_day, f">= {today}")
    # no refusal below this line
    _write(ctx, message)


def _check_values(ctx: BlockContext, message: SetSetting) -> None:
    spec = ctx.market.settings.get(message.name)
    if spec is None:
        raise SETTING_UNKNOWN("name", message.name)
    if message.scope and not spec.scoped:
        raise SETTING_OUT_OF_BOUNDS("scope", message.scope, both("留空", "empty"))
    if spec.count and len(message.values) != spec.count:
        raise SETTING_OUT_OF_BOUNDS("values", fields.in_entries(len(message.values)), fields.in_entries(spec.count))
    for place, value in enumerate(message.values):
        if not spec.low <= value <= spec.high:
            raise SETTING_OUT_OF_BOUNDS(f"values[{place}]", value, f"{spec.low}..{spec.high}")


def _write(ctx: BlockContext, message: SetSetting) -> None:
    row = SettingRow(message.values, message.source, ctx.market_ms)
    SETTING_ROWS.put(ctx, (message.name, message.scope, message.from_day), row)
    ctx.emit(
        SettingSet(
            deed=f"setting:{message.name}",
            parties=(),
            name=message.name,
            scope=message.scope,
            from_day=message.from_day,
            values=message.values,
            source=message.source,
        )
    )


def move_clock(ctx: Context, message: AdvanceClock) -> None:
    """Move market time on a stepped chain. Refuses: 2005, 2006. Emits: ClockAdvanced."""
    now = CLOCK.need(ctx)
    if now.mode != STEPPED:
        raise CLOCK_IS_NOT_STEPPED("to_ms", message.to_ms)
    if message.to_ms <= now.market_ms:
        raise CLOCK_MOVES_FORWARD_ONLY("to_ms", message.to_ms, f"> {now.market_ms}")
    # no refusal below this line
    advance_clock(ctx, message.to_ms)
    ctx.emit(ClockAdvanced(deed="clock", parties=(), to_ms=message.to_ms))


def genesis_in(ctx: BlockContext, section: Mapping[str, Any]) -> None:
    """Take in ``settings``: a list of name, scope, from_day, values, source; here they may start in the past."""
    for entry in section.get("settings", ()):
        message = SetSetting(
            entry["name"], entry.get("scope", ""), entry["from_day"], tuple(entry["values"]), entry["source"]
        )
        message.check()
        _check_values(ctx, message)
        _write(ctx, message)


CONTRACT = Contract(
    name="governance",
    number=2,
    tables=TABLES,
    handlers={
        SetSetting: set_setting,
        AdvanceClock: move_clock,
        RotateEpoch: begin_epoch,
        HandOutEpoch: hand_out_epoch,
    },
    replies=REPLIES,
    events=EVENTS,
    refusals=REFUSALS,
    invariants=INVARIANTS,
    settings=SETTINGS,
    genesis_in=genesis_in,
)
