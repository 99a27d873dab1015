"""What guarantees remembers: the instruments, each member's exposure line, and what its exposure is made of."""

from shudian.contracts.guarantees.messages import Guarantee, Line, State
from shudian.kernel.codec import Record
from shudian.kernel.contract import BlockContext, RowInvariant, StateInvariant
from shudian.kernel.tables import Key, Table


class Exposure(Record):
    """What a member has taken on for a purpose, such as ``agreement:7``. amount_fen: > 0."""

    amount_fen: int


def _by_number(_key: Key, row: Guarantee) -> Key | None:
    return None if row.state is State.REJECTED else (row.bank_id, row.number)


def _by_last_day(_key: Key, row: Guarantee) -> Key | None:
    return (row.last_day,) if row.state in (State.SUBMITTED, State.ACTIVE) else None


GUARANTEES = Table(
    "guarantees.guarantees", Guarantee, ("guarantee_id",), {"by_number": _by_number, "by_last_day": _by_last_day}
)
LINES = Table("guarantees.lines", Line, ("member_id",))
EXPOSURES = Table("guarantees.exposures", Exposure, ("member_id", "purpose"))

TABLES = (GUARANTEES, LINES, EXPOSURES)


def _is_within(_key: Key, row: Guarantee) -> bool:
    return 0 <= row.drawn_fen <= row.amount_fen and row.first_day <= row.last_day


def _is_positive(_key: Key, row: Exposure) -> bool:
    return row.amount_fen > 0


def _lines_are_sums(at: BlockContext) -> bool:
    """A line's available amount is that of its member's active guarantees, its exposure that of all purposes."""
    sums: dict[int, tuple[int, int]] = {}
    for _, row in GUARANTEES.range(at):
        if row.state is State.ACTIVE:
            available_fen, exposure_fen = sums.get(row.member_id, (0, 0))
            sums[row.member_id] = (available_fen + row.open_fen, exposure_fen)
    for key, exposure in EXPOSURES.range(at):
        available_fen, exposure_fen = sums.get(int(key[0]), (0, 0))
        sums[int(key[0])] = (available_fen, exposure_fen + exposure.amount_fen)
    lines = {int(key[0]): (row.available_fen, row.exposure_fen) for key, row in LINES.range(at)}
    return {member_id: pair for member_id, pair in lines.items() if any(pair)} == {
        member_id: pair for member_id, pair in sums.items() if any(pair)
    }


INVARIANTS = (
    RowInvariant("a guarantee is never drawn beyond its amount", GUARANTEES, _is_within),
    RowInvariant("an exposure is positive", EXPOSURES, _is_positive),
    StateInvariant("a line is the sum of its guarantees and of its exposures", _lines_are_sums),
)
