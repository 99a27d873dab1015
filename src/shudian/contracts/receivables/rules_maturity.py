"""Maturity: the debtor's money flows to all holders by itself; what happens when it does not suffice.

On the working day on or after the due day, and in each later block while something is open, what the debtor's cash has free is
shared over the open parts by their open amounts (largest remainder). Of a pledged part the pledgee is paid first, up to what is
secured, then the holder. The debtor agreed to this when it accepted; a frozen debtor is not debited.
"""

from msgspec.structs import replace

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Transfer
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.receivables.messages import Debt, DebtState, Receivable, State, WriteOffReceivable
from shudian.contracts.receivables.messages_events import (
    DebtOverdue,
    ReceivablePaid,
    ReceivableWrittenOff,
    RecourseClaimed,
)
from shudian.contracts.receivables.messages_finance import ClaimRecourse
from shudian.contracts.receivables.messages_refusals import RECEIVABLE_IS_LOCKED, WITHOUT_RECOURSE
from shudian.contracts.receivables.rules_claims import deregister_by_day
from shudian.contracts.receivables.rules_debts import also_of, deed_of, open_parts, overdue, parties_of, reduce
from shudian.contracts.receivables.rules_pledges import unpledged
from shudian.contracts.receivables.state import DEBTS, RECEIVABLES
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.ids import derived_id
from shudian.kernel.outcomes import Refused, both
from shudian.kernel.tables import HasStore
from shudian.kernel.units import split_largest_remainder

PAYMENT_CODE = 1_202
"""Transfer code of a debtor's payment to a holder."""
PLEDGE_CODE = 1_203
"""Transfer code of a debtor's payment to a pledgee."""
RECOURSE_CODE = 1_204
"""Transfer code of a seller's payment to the bank that returns a receivable."""


def redeem(ctx: BlockContext) -> None:
    """Block hook: collect every debt whose payment day has come; mark it overdue when that day is over and nothing more is free.

    Emits: ReceivablePaid, DebtClosed, DebtOverdue.
    """
    today = clock.day_of(ctx.market_ms)
    for key, owed in DEBTS.due(ctx, "by_due", today):
        payment_day = governance.working_day(ctx, owed.due_day, 0)
        if today < payment_day:
            continue
        root_id = int(key[0])
        _collect(ctx, root_id, owed)
        after = DEBTS.need(ctx, root_id)
        is_late = after.state is DebtState.ACCEPTED and today > payment_day
        if is_late and not _collectable_fen(ctx, owed.debtor_id):
            _mark_overdue(ctx, root_id, after)


def _collectable_fen(at: HasStore, debtor_id: int) -> int:
    """What may be taken from a debtor now."""
    if identity.member(at, debtor_id).frozen:
        return 0
    return max(0, funds.free_fen(at, funds.account_of(at, debtor_id)))


def _collect(ctx: BlockContext, root_id: int, owed: Debt) -> None:
    """Share what the debtor has free over the open parts."""
    amount_fen = min(_collectable_fen(ctx, owed.debtor_id), owed.open_fen)
    if not amount_fen:
        return
    parts = open_parts(ctx, root_id)
    shares = split_largest_remainder(amount_fen, [row.open_fen for _, row in parts])
    for (receivable_id, row), share_fen in zip(parts, shares, strict=True):
        if share_fen:
            _pay(ctx, receivable_id, row, owed.debtor_id, share_fen)


def _pay(ctx: BlockContext, receivable_id: int, row: Receivable, debtor_id: int, amount_fen: int) -> None:
    """Pay a part, pledgee first. A holder that closed its account is left unpaid until it opens one again; it holds up nobody else."""
    pledgee_fen = min(amount_fen, row.secured_fen)
    payees = ((row.pledgee_id, pledgee_fen, PLEDGE_CODE), (row.holder_id, amount_fen - pledgee_fen, PAYMENT_CODE))
    payment_count = row.payment_count + 1
    transfers = [
        Transfer(
            derived_id("receivables.payment", str(receivable_id), str(payment_count), str(code)),
            funds.account_of(ctx, debtor_id),
            funds.account_of(ctx, payee_id),
            part_fen,
            code,
            deed_of(receivable_id),
        )
        for payee_id, part_fen, code in payees
        if part_fen
    ]
    try:
        funds.transfer(ctx, transfers)
    except Refused:
        return
    after = replace(
        row,
        paid_fen=row.paid_fen + amount_fen,
        payment_count=payment_count,
        secured_fen=row.secured_fen - pledgee_fen,
    )
    if row.pledgee_id and not after.secured_fen:
        after = unpledged(after)
    if not after.open_fen:
        after = replace(after, state=State.REDEEMED, registration_no="")
    RECEIVABLES.put(ctx, (receivable_id,), after)
    is_lapsed = bool(row.registration_no) and not after.registration_no
    ctx.emit(
        ReceivablePaid(
            deed=deed_of(receivable_id),
            parties=parties_of(row.holder_id, row.pledgee_id, debtor_id),
            also=also_of(receivable_id, row),
            receivable_id=receivable_id,
            root_id=row.root_id,
            payment_no=payment_count,
            debtor_id=debtor_id,
            holder_id=row.holder_id,
            holder_fen=amount_fen - pledgee_fen,
            pledgee_id=row.pledgee_id,
            pledgee_fen=pledgee_fen,
            open_fen=after.open_fen,
            registration_no=row.registration_no,
            deregister_by_day=deregister_by_day(ctx, row.registration_no) if is_lapsed else 0,
        )
    )
    reduce(ctx, row.root_id, amount_fen)


def _mark_overdue(ctx: BlockContext, root_id: int, owed: Debt) -> None:
    DEBTS.put(ctx, (root_id,), replace(owed, state=DebtState.OVERDUE))
    parts = open_parts(ctx, root_id)
    concerned = [member_id for _, row in parts for member_id in (row.holder_id, row.pledgee_id)]
    ctx.emit(
        DebtOverdue(
            deed=deed_of(root_id),
            parties=parties_of(owed.debtor_id, *concerned),
            also=tuple(deed_of(receivable_id) for receivable_id, _ in parts if receivable_id != root_id),
            receivable_id=root_id,
            debtor_id=owed.debtor_id,
            open_fen=owed.open_fen,
        )
    )


def claim_recourse(ctx: Context, message: ClaimRecourse) -> None:
    """Return a part to its seller against what is open on it. Refuses: 4001-4003, 12001, 12005, 12020, 12035, 12036. Emits: RecourseClaimed."""
    row, owed = overdue(ctx, message.receivable_id)
    if not row.recourse:
        raise WITHOUT_RECOURSE("receivable_id", message.receivable_id, both("有追索权买入", "bought with recourse"))
    order = Transfer(
        derived_id("receivables.recourse", str(message.receivable_id)),
        funds.account_of(ctx, row.seller_id),
        funds.account_of(ctx, ctx.sender_id),
        row.open_fen,
        RECOURSE_CODE,
        deed_of(message.receivable_id),
    )
    funds.transfer(ctx, (order,))
    # no refusal below this line
    returned = replace(
        row,
        holder_id=row.seller_id,
        tier_no=row.tier_no + 1,
        state=State.HELD,
        seller_id=0,
        recourse=False,
        registration_no="",
    )
    RECEIVABLES.put(ctx, (message.receivable_id,), returned)
    ctx.emit(
        RecourseClaimed(
            deed=deed_of(message.receivable_id),
            parties=(ctx.sender_id, row.seller_id, owed.debtor_id),
            also=also_of(message.receivable_id, row),
            receivable_id=message.receivable_id,
            bank_id=ctx.sender_id,
            seller_id=row.seller_id,
            debtor_id=owed.debtor_id,
            tier_no=returned.tier_no,
            amount_fen=row.open_fen,
            registration_no=row.registration_no,
            deregister_by_day=deregister_by_day(ctx, row.registration_no),
        )
    )


def write_off_receivable(ctx: Context, message: WriteOffReceivable) -> None:
    """Give up an own overdue part. Refuses: 12001, 12005, 12019, 12020, 12035. Emits: ReceivableWrittenOff, DebtClosed."""
    row, owed = overdue(ctx, message.receivable_id)
    if row.state is State.PLEDGED:
        raise RECEIVABLE_IS_LOCKED(
            "receivable_id", f"{message.receivable_id} {row.state}", both("未质押", "not pledged")
        )
    # no refusal below this line
    RECEIVABLES.put(ctx, (message.receivable_id,), replace(row, state=State.WRITTEN_OFF))
    ctx.emit(
        ReceivableWrittenOff(
            deed=deed_of(message.receivable_id),
            parties=(ctx.sender_id, owed.debtor_id),
            also=also_of(message.receivable_id, row),
            receivable_id=message.receivable_id,
            root_id=row.root_id,
            debtor_id=owed.debtor_id,
            holder_id=ctx.sender_id,
            amount_fen=row.open_fen,
            reason=message.reason,
            evidence=message.evidence,
        )
    )
    reduce(ctx, row.root_id, row.open_fen)
