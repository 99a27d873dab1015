"""Pledge: a part as security for a bank's loan, at most once, until the bank releases it or the debtor's money pays it."""

from msgspec.structs import replace

from shudian.contracts.funds import rules as funds
from shudian.contracts.identity import rules as identity
from shudian.contracts.receivables.messages import Receivable, State
from shudian.contracts.receivables.messages_events import PledgeReleased, ReceivablePledged
from shudian.contracts.receivables.messages_finance import BANKS, PledgeReceivable, ReleasePledge
from shudian.contracts.receivables.messages_refusals import NOT_THE_PLEDGEE, SECURED_OVER_OPEN
from shudian.contracts.receivables.rules_claims import deregister_by_day, register, require_registry
from shudian.contracts.receivables.rules_debts import also_of, deed_of, movable, receivable
from shudian.contracts.receivables.state import DEBTS, RECEIVABLES
from shudian.kernel.contract import Context
from shudian.kernel.outcomes import both


def pledge_receivable(ctx: Context, message: PledgeReceivable) -> None:
    """Pledge an own part. Refuses: 2003, 3001-3004, 4001, 12001, 12005, 12019-12021, 12031-12033. Emits: ReceivablePledged."""
    row, owed = movable(ctx, message.receivable_id)
    identity.require_kind(ctx, message.bank_id, BANKS)
    identity.require_good(ctx, message.bank_id)
    funds.account_of(ctx, message.bank_id)
    if message.secured_fen > row.open_fen:
        raise SECURED_OVER_OPEN("secured_fen", message.secured_fen, f"<= {row.open_fen}")
    require_registry(ctx, message.registration_no, message.searched_ms)
    # no refusal below this line
    register(ctx, message.receivable_id, message.registration_no)
    pledged = replace(
        row,
        state=State.PLEDGED,
        pledgee_id=message.bank_id,
        secured_fen=message.secured_fen,
        registration_no=message.registration_no,
    )
    RECEIVABLES.put(ctx, (message.receivable_id,), pledged)
    ctx.emit(
        ReceivablePledged(
            deed=deed_of(message.receivable_id),
            parties=(ctx.sender_id, message.bank_id, owed.debtor_id),
            also=also_of(message.receivable_id, row),
            receivable_id=message.receivable_id,
            holder_id=ctx.sender_id,
            bank_id=message.bank_id,
            secured_fen=message.secured_fen,
            registration_no=message.registration_no,
            searched_ms=message.searched_ms,
            search_evidence=message.search_evidence,
        )
    )


def release_pledge(ctx: Context, message: ReleasePledge) -> None:
    """Release a pledge in the sender's favour, also after maturity. Refuses: 12001, 12034. Emits: PledgeReleased."""
    row = receivable(ctx, message.receivable_id)
    if row.pledgee_id != ctx.sender_id:
        raise NOT_THE_PLEDGEE(
            "receivable_id", message.receivable_id, both("质押给发送方的凭证", "a receivable pledged to the sender")
        )
    # no refusal below this line
    RECEIVABLES.put(ctx, (message.receivable_id,), unpledged(row))
    ctx.emit(
        PledgeReleased(
            deed=deed_of(message.receivable_id),
            parties=(row.holder_id, ctx.sender_id, DEBTS.need(ctx, row.root_id).debtor_id),
            also=also_of(message.receivable_id, row),
            receivable_id=message.receivable_id,
            holder_id=row.holder_id,
            bank_id=ctx.sender_id,
            registration_no=row.registration_no,
            deregister_by_day=deregister_by_day(ctx, row.registration_no),
        )
    )


def unpledged(row: Receivable) -> Receivable:
    """A pledged part free again, in its holder's hand."""
    return replace(row, state=State.HELD, pledgee_id=0, secured_fen=0, registration_no="")
