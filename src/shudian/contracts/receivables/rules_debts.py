"""Debts and their parts: looking them up, who may move a part, and the one place where open amounts change."""

from msgspec.structs import replace

from shudian.contracts.receivables.messages import OPEN_STATES, Debt, DebtState, Receivable, State
from shudian.contracts.receivables.messages_events import DebtClosed
from shudian.contracts.receivables.messages_refusals import (
    DEBTOR_IS_BLOCKED,
    NOT_OVERDUE,
    NOT_THE_HOLDER,
    RECEIVABLE_HAS_MATURED,
    RECEIVABLE_IS_CLOSED,
    RECEIVABLE_IS_LOCKED,
    RECEIVABLE_UNKNOWN,
)
from shudian.contracts.receivables.state import BLOCKING, DEBTORS, DEBTS, RECEIVABLES, Debtor
from shudian.contracts.settlement import rules as settlement
from shudian.kernel import check, clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore


def receivable(at: HasStore, receivable_id: int) -> Receivable:
    """The part of a number. Refuses: 12001; a proposal is none until it is accepted."""
    row = RECEIVABLES.get(at, receivable_id)
    if row is None:
        raise RECEIVABLE_UNKNOWN("receivable_id", receivable_id)
    return row


def debt(at: HasStore, root_id: int) -> Debt:
    """The debt behind a receivable first proposed or accepted under this number. Refuses: 12001."""
    row = DEBTS.get(at, root_id)
    if row is None:
        raise RECEIVABLE_UNKNOWN("receivable_id", root_id)
    return row


def outstanding_fen(at: HasStore, debtor_id: int) -> int:
    """What a member owes on all its accepted receivables, in fen."""
    row = DEBTORS.get(at, debtor_id)
    return 0 if row is None else row.open_fen


def is_blocked(at: HasStore, debtor_id: int) -> bool:
    """Whether a member has an overdue or written-off debt and therefore cannot issue."""
    return any(True for _ in DEBTS.find(at, "blocking", debtor_id))


def require_issuer(at: HasStore, debtor_id: int) -> None:
    """Refuses: 12013."""
    if is_blocked(at, debtor_id):
        states = " | ".join(BLOCKING)
        raise DEBTOR_IS_BLOCKED(
            "debtor_id", debtor_id, both(f"无此类债务的债务人：{states}", f"a debtor without debts that are {states}")
        )


def movable(ctx: Context, receivable_id: int) -> tuple[Receivable, Debt]:
    """A part that its holder, the sender, may split, transfer, offer or pledge now. Refuses: 12001, 12005, 12019-12021."""
    row = held_by_sender(ctx, receivable_id)
    if row.state is not State.HELD:
        raise RECEIVABLE_IS_LOCKED("receivable_id", f"{receivable_id} {row.state}", State.HELD)
    owed = DEBTS.need(ctx, row.root_id)
    if clock.day_of(ctx.market_ms) >= owed.due_day:
        raise RECEIVABLE_HAS_MATURED(
            "receivable_id", receivable_id, both(f"早于 {owed.due_day}", f"before {owed.due_day}")
        )
    return row, owed


def overdue(ctx: Context, receivable_id: int) -> tuple[Receivable, Debt]:
    """A part of the sender that was not paid in time. Refuses: 12001, 12005, 12020, 12035."""
    row = held_by_sender(ctx, receivable_id)
    owed = DEBTS.need(ctx, row.root_id)
    if owed.state is not DebtState.OVERDUE:
        raise NOT_OVERDUE("receivable_id", f"{receivable_id} {owed.state}", DebtState.OVERDUE)
    return row, owed


def held_by_sender(ctx: Context, receivable_id: int) -> Receivable:
    """An open part with title in the sender. Refuses: 12001, 12005, 12020."""
    row = receivable(ctx, receivable_id)
    if row.holder_id != ctx.sender_id:
        raise NOT_THE_HOLDER(
            "receivable_id", receivable_id, both("发送方持有的凭证", "a receivable that the sender holds")
        )
    if row.state not in OPEN_STATES:
        raise RECEIVABLE_IS_CLOSED("receivable_id", f"{receivable_id} {row.state}", " | ".join(OPEN_STATES))
    return row


def open_parts(at: HasStore, root_id: int) -> list[tuple[int, Receivable]]:
    """(receivable_id, part) of what is still to be paid of a debt, by number."""
    return [(int(key[0]), row) for key, row in RECEIVABLES.find(at, "open_by_root", root_id)]


def deed_of(receivable_id: int) -> str:
    """The deed under which everything about a part is told."""
    return f"receivable:{receivable_id}"


def also_of(receivable_id: int, row: Receivable, *more: str) -> tuple[str, ...]:
    """The other timelines that a part's event stands on: its root's, and ``more``."""
    return (deed_of(row.root_id), *more) if row.root_id != receivable_id else more


def parties_of(*member_ids: int) -> tuple[int, ...]:
    """Each member once, in the given order; 0 is nobody."""
    return tuple(member_id for member_id in dict.fromkeys(member_ids) if member_id)


def owe(ctx: BlockContext, debtor_id: int, change_fen: int) -> None:
    """Add to what a debtor owes in all."""
    total_fen = outstanding_fen(ctx, debtor_id) + change_fen
    check.that(total_fen >= 0, "nobody owes less than nothing")
    DEBTORS.put(ctx, (debtor_id,), Debtor(total_fen))


def reduce(ctx: BlockContext, root_id: int, amount_fen: int) -> None:
    """What was paid or written off is owed no more; a debt with nothing open is closed, and so is the line it was born from if it is paid.

    Call it after the parts were written. Emits: DebtClosed.
    """
    before = DEBTS.need(ctx, root_id)
    owe(ctx, before.debtor_id, -amount_fen)
    after = replace(before, open_fen=before.open_fen - amount_fen)
    if after.open_fen:
        DEBTS.put(ctx, (root_id,), after)
        return
    parts = [row for _, row in RECEIVABLES.find(ctx, "by_root", root_id)]
    is_lost = any(row.state is State.WRITTEN_OFF for row in parts)
    state = DebtState.WRITTEN_OFF if is_lost else DebtState.REDEEMED
    DEBTS.put(ctx, (root_id,), replace(after, state=state))
    if before.line_id and not is_lost:
        settlement.settle_converted(ctx, before.line_id)
    ctx.emit(
        DebtClosed(
            deed=deed_of(root_id),
            parties=parties_of(before.debtor_id, before.creditor_id, *(row.holder_id for row in parts)),
            receivable_id=root_id,
            debtor_id=before.debtor_id,
            state=state,
            late=before.state is DebtState.OVERDUE,
        )
    )
