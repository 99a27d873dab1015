"""Title: splitting a part to the fen, and passing it on to suppliers of any tier, with notice to the debtor."""

from msgspec.structs import replace

from shudian.contracts.funds import rules as funds
from shudian.contracts.identity import rules as identity
from shudian.contracts.receivables.messages import (
    PartsReply,
    Receivable,
    SplitReceivable,
    State,
    TransferReceivable,
)
from shudian.contracts.receivables.messages_events import ReceivableSplit, ReceivableTransferred
from shudian.contracts.receivables.messages_refusals import PARTS_DO_NOT_ADD_UP, SELF_DEALING
from shudian.contracts.receivables.rules_debts import also_of, deed_of, movable
from shudian.contracts.receivables.state import RECEIVABLES
from shudian.contracts.roles import TRADING_KINDS
from shudian.kernel.contract import Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import next_id


def split_receivable(ctx: Context, message: SplitReceivable) -> PartsReply:
    """Split a part. Refuses: 12001, 12005, 12019-12022. Emits: ReceivableSplit."""
    parent, owed = movable(ctx, message.receivable_id)
    if sum(message.amounts_fen) != parent.amount_fen:
        raise PARTS_DO_NOT_ADD_UP("amounts_fen", sum(message.amounts_fen), parent.amount_fen)
    # no refusal below this line
    children = tuple(
        Receivable(parent.root_id, message.receivable_id, parent.holder_id, parent.tier_no, amount_fen)
        for amount_fen in message.amounts_fen
    )
    child_ids = tuple(next_id(ctx, "receivables.receivable") for _ in children)
    RECEIVABLES.put(ctx, (message.receivable_id,), replace(parent, state=State.SPLIT))
    for child_id, child in zip(child_ids, children, strict=True):
        RECEIVABLES.put(ctx, (child_id,), child)
    ctx.emit(
        ReceivableSplit(
            deed=deed_of(message.receivable_id),
            parties=(parent.holder_id, owed.debtor_id),
            also=(*also_of(message.receivable_id, parent), *(deed_of(child_id) for child_id in child_ids)),
            receivable_id=message.receivable_id,
            debtor_id=owed.debtor_id,
            due_day=owed.due_day,
            children_ids=child_ids,
            children=children,
        )
    )
    return PartsReply(child_ids)


def transfer_receivable(ctx: Context, message: TransferReceivable) -> None:
    """Pass a part on. Refuses: 3001-3004, 4001, 12001, 12005, 12006, 12019-12021. Emits: ReceivableTransferred."""
    row, owed = movable(ctx, message.receivable_id)
    if message.to_id in (ctx.sender_id, owed.debtor_id):
        raise SELF_DEALING(
            "to_id",
            message.to_id,
            both(
                f"非 {ctx.sender_id}、非债务人 {owed.debtor_id}",
                f"neither {ctx.sender_id} nor the debtor {owed.debtor_id}",
            ),
        )
    identity.require_kind(ctx, message.to_id, TRADING_KINDS)
    identity.require_good(ctx, message.to_id)
    funds.account_of(ctx, message.to_id)
    # no refusal below this line
    RECEIVABLES.put(ctx, (message.receivable_id,), replace(row, holder_id=message.to_id, tier_no=row.tier_no + 1))
    ctx.emit(
        ReceivableTransferred(
            deed=deed_of(message.receivable_id),
            parties=(ctx.sender_id, message.to_id, owed.debtor_id),
            also=also_of(message.receivable_id, row),
            receivable_id=message.receivable_id,
            from_id=ctx.sender_id,
            to_id=message.to_id,
            debtor_id=owed.debtor_id,
            tier_no=row.tier_no + 1,
            amount_fen=row.amount_fen,
            contract_no=message.contract_no,
            evidence=message.evidence,
        )
    )
