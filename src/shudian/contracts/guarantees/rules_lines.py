"""The exposure line: the verbs by which the contracts above take on exposure, and the one place where a line changes."""

from msgspec.structs import replace

from shudian.contracts.governance import rules as governance
from shudian.contracts.guarantees.messages import LINE_IS_FULL, Line
from shudian.contracts.guarantees.messages_events import ExposureWarned, LineMoved
from shudian.contracts.guarantees.state import EXPOSURES, LINES, Exposure
from shudian.kernel import check, clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore
from shudian.kernel.units import energy_fen, share


def required_fen(at: HasStore, day: int, year_kwh: int, wholesale_kwh: int, retail_kwh: int, grade: str) -> int:
    """What a member of these energies must provide by the settings of a day. Refuses: 2003.

    Times the factor of the credit grade, half away from zero (Sichuan notice of 2022-01-05): the larger of a year's wholesale energy at 8 yuan/MWh and two months' max(wholesale, retail) at 50 yuan/MWh: with 500,000 MWh, 82,000 MWh
    and 90,000 MWh that is max(4,000,000, 4,500,000) = 4,500,000 yuan.
    """
    year_fen = energy_fen(year_kwh, governance.setting(at, "guarantees.year_myuan_mwh", day))
    two_months_myuan_mwh = governance.setting(at, "guarantees.two_months_myuan_mwh", day)
    two_months_fen = energy_fen(max(wholesale_kwh, retail_kwh), two_months_myuan_mwh)
    return share(max(year_fen, two_months_fen), factor_ppm(at, day, grade))


def factor_ppm(at: HasStore, day: int, grade: str) -> int:
    """The factor of a credit grade; a grade without one of its own has that of no grade. Refuses: 2003."""
    return governance.setting(at, "guarantees.grade_factor_ppm", day, grade)


def line(at: HasStore, member_id: int) -> Line:
    """A member's line; empty if nothing was ever said about it."""
    return LINES.get(at, member_id) or Line()


def exposure(at: HasStore, member_id: int) -> int:
    """What a member has taken on, in fen."""
    return line(at, member_id).exposure_fen


def require_room(at: HasStore, member_id: int, amount_fen: int) -> None:
    """Refuse new exposure that is more than the guarantees cover. Refuses: 5011.

    For trading, before a buy. A member without a required amount is not watched: it trades on cash collateral alone.
    """
    row = line(at, member_id)
    room_fen = row.available_fen - row.exposure_fen
    if row.required_fen and amount_fen > room_fen:
        raise LINE_IS_FULL("amount_fen", amount_fen, f"<= {max(0, room_fen)}")


def add_exposure(ctx: BlockContext, member_id: int, purpose: str, amount_fen: int) -> None:
    """Add to what a member has taken on for a purpose (``agreement:7``); a negative amount gives back, at most what is there.

    For contracts above, after :func:`require_room`; it never refuses. Emits: LineMoved, ExposureWarned.
    """
    before = EXPOSURES.get(ctx, member_id, purpose)
    after_fen = (0 if before is None else before.amount_fen) + amount_fen
    check.that(after_fen >= 0, "no exposure falls below nothing")
    if after_fen:
        EXPOSURES.put(ctx, (member_id, purpose), Exposure(after_fen))
    elif before is not None:
        EXPOSURES.delete(ctx, member_id, purpose)
    row = line(ctx, member_id)
    move(ctx, member_id, replace(row, exposure_fen=row.exposure_fen + amount_fen), purpose)


def release_exposure(ctx: BlockContext, member_id: int, purpose: str) -> None:
    """Give back all that a member has taken on for a purpose; nothing happens if there is none. Emits: LineMoved."""
    before = EXPOSURES.get(ctx, member_id, purpose)
    if before is not None:
        add_exposure(ctx, member_id, purpose, -before.amount_fen)


def move(ctx: BlockContext, member_id: int, row: Line, cause: str) -> None:
    """Write a line and warn if it reached the warning share. ``cause``: the deed that moved it. Emits: LineMoved, ExposureWarned."""
    warning_ppm = governance.setting(ctx, "guarantees.warning_ppm", clock.day_of(ctx.market_ms))
    is_high = bool(row.required_fen and row.exposure_fen) and row.exposure_fen >= share(row.available_fen, warning_ppm)
    after = replace(row, warned=is_high)
    if after == LINES.get(ctx, member_id):
        return
    LINES.put(ctx, (member_id,), after)
    deed, parties = f"member:{member_id}", (member_id,)
    also = (cause,) if cause != deed else ()
    ctx.emit(LineMoved(deed=deed, parties=parties, also=also, member_id=member_id, line=after))
    if is_high and not row.warned:
        ctx.emit(
            ExposureWarned(
                deed=deed,
                parties=parties,
                member_id=member_id,
                exposure_fen=row.exposure_fen,
                available_fen=row.available_fen,
            )
        )
