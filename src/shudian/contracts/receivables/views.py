"""What receivables tells: debts, parts, the chain of endorsements, quotes side by side, payments, debtors' totals, the market's month."""

from shudian.contracts.receivables.messages import DebtState, Receivable, State
from shudian.contracts.receivables.messages_events import (
    DebtClosed,
    DebtOverdue,
    FinanceEnded,
    FinanceQuoted,
    FinanceRequested,
    PledgeReleased,
    ReceivableAccepted,
    ReceivableEnded,
    ReceivableFinanced,
    ReceivablePaid,
    ReceivablePledged,
    ReceivableProposed,
    ReceivableSplit,
    ReceivableTransferred,
    ReceivableWrittenOff,
    RecourseClaimed,
)
from shudian.contracts.receivables.messages_finance import RequestState
from shudian.contracts.receivables.views_queries import (
    debtors,
    debts,
    endorsements,
    finance_requests,
    payments,
    quotes,
    receivables,
    receivables_months,
)
from shudian.contracts.receivables.views_tables import (
    DEBTORS,
    DEBTS,
    ENDORSEMENTS,
    PARTS,
    PAYMENTS,
    QUOTES,
    REQUESTS,
    TABLES,
    TOTALS,
)
from shudian.kernel.clock import day_of, month_of
from shudian.reading.tables import At, Views
from shudian.reading.writer import Writer

STANDING, REPLACED, CHOSEN, PASSED_OVER = "standing", "replaced", "chosen", "passed_over"
"""States of a quote as shown."""


def receivable_proposed(db: Writer, event: ReceivableProposed, _at: At) -> None:
    """A debt that waits for its debtor."""
    row = event.debt
    db.insert(
        DEBTS,
        receivable_id=event.receivable_id,
        origin=row.origin,
        line_id=row.line_id,
        creditor_id=row.creditor_id,
        debtor_id=row.debtor_id,
        contract_no=row.contract_no,
        invoice_codes=" ".join(row.invoice_codes),
        evidence=row.evidence,
        amount_fen=row.amount_fen,
        open_fen=0,
        issued_day=row.issued_day,
        due_day=row.due_day,
        accept_by_day=row.accept_by_day,
        fingerprint=row.fingerprint,
        state=row.state,
        reason="",
    )


def receivable_ended(db: Writer, event: ReceivableEnded, _at: At) -> None:
    """It came to nothing."""
    db.update(DEBTS, {"receivable_id": event.receivable_id}, state=event.state, reason=event.reason)


def receivable_accepted(db: Writer, event: ReceivableAccepted, at: At) -> None:
    """The debt stands and its creditor holds it whole."""
    debt = event.debt
    db.update(DEBTS, {"receivable_id": event.receivable_id}, state=debt.state, open_fen=debt.open_fen)
    whole = Receivable(event.receivable_id, 0, debt.creditor_id, 0, debt.amount_fen)
    _insert_part(db, event.receivable_id, whole, debt.debtor_id, debt.due_day)
    if not db.exists(DEBTORS, {"debtor_id": debt.debtor_id}):
        db.insert(DEBTORS, debtor_id=debt.debtor_id, accepted_fen=0, open_fen=0, overdue_count=0, written_off_fen=0)
    db.add(DEBTORS, {"debtor_id": debt.debtor_id}, accepted_fen=debt.amount_fen, open_fen=debt.amount_fen)
    _count(db, at, issued_count=1, issued_fen=debt.amount_fen)


def _insert_part(db: Writer, receivable_id: int, row: Receivable, debtor_id: int, due_day: int) -> None:
    db.insert(
        PARTS,
        receivable_id=receivable_id,
        root_id=row.root_id,
        parent_id=row.parent_id,
        debtor_id=debtor_id,
        holder_id=row.holder_id,
        seller_id=row.seller_id,
        pledgee_id=row.pledgee_id,
        tier_no=row.tier_no,
        amount_fen=row.amount_fen,
        paid_fen=row.paid_fen,
        secured_fen=row.secured_fen,
        due_day=due_day,
        state=row.state,
        recourse=int(row.recourse),
        registration_no=row.registration_no,
        deregister_by_day=0,
    )


def _count(db: Writer, at: At, **amounts: int) -> None:
    """Add to the market's month."""
    key = {"month": month_of(day_of(at.market_ms))}
    if not db.exists(TOTALS, key):
        db.insert(TOTALS, **key, **{column.name: 0 for column in TOTALS.columns if column.name != "month"})
    db.add(TOTALS, key, **amounts)


def receivable_split(db: Writer, event: ReceivableSplit, _at: At) -> None:
    """The parent is closed, its children are there."""
    db.update(PARTS, {"receivable_id": event.receivable_id}, state=State.SPLIT)
    for child_id, child in zip(event.children_ids, event.children, strict=True):
        _insert_part(db, child_id, child, event.debtor_id, event.due_day)


def _endorse(
    db: Writer,
    at: At,
    event: ReceivableTransferred | ReceivableFinanced | RecourseClaimed,
    way: str,
    from_id: int,
    to_id: int,
    contract_no: str = "",
    evidence: bytes = b"",
) -> None:
    """A link of the chain of titles."""
    root = next((deed for deed in event.also if deed.startswith("receivable:")), event.deed)
    db.insert(
        ENDORSEMENTS,
        receivable_id=event.receivable_id,
        tier_no=event.tier_no,
        root_id=int(root.partition(":")[2]),
        debtor_id=event.debtor_id,
        way=way,
        from_id=from_id,
        to_id=to_id,
        amount_fen=event.amount_fen,
        contract_no=contract_no,
        evidence=evidence,
        made_ms=at.market_ms,
    )
    db.update(PARTS, {"receivable_id": event.receivable_id}, holder_id=to_id, tier_no=event.tier_no)


def receivable_transferred(db: Writer, event: ReceivableTransferred, at: At) -> None:
    """A new holder."""
    _endorse(db, at, event, "transferred", event.from_id, event.to_id, event.contract_no, event.evidence)


def finance_requested(db: Writer, event: FinanceRequested, _at: At) -> None:
    """Banks may quote."""
    request = event.request
    db.insert(
        REQUESTS,
        request_id=event.request_id,
        receivable_id=request.receivable_id,
        holder_id=request.holder_id,
        debtor_id=event.debtor_id,
        amount_fen=event.amount_fen,
        due_day=event.due_day,
        contract_no=event.contract_no,
        invoice_codes=" ".join(event.invoice_codes),
        evidence=event.evidence,
        expires_ms=request.expires_ms,
        state=request.state,
        quotes_count=0,
    )
    db.update(PARTS, {"receivable_id": request.receivable_id}, state=State.OFFERED)


def finance_quoted(db: Writer, event: FinanceQuoted, _at: At) -> None:
    """A quote beside the others; the bank's older one is replaced."""
    quote = event.quote
    db.update(QUOTES, {"quote_id": event.replaces_id}, state=REPLACED)
    db.insert(
        QUOTES,
        quote_id=event.quote_id,
        request_id=quote.request_id,
        receivable_id=event.receivable_id,
        holder_id=event.holder_id,
        bank_id=quote.bank_id,
        rate_ppm=quote.rate_ppm,
        day_count=quote.day_count,
        discount_day_count=event.discount_day_count,
        interest_fen=event.interest_fen,
        fee_fen=quote.fee_fen,
        net_fen=event.net_fen,
        cost_ppm=event.cost_ppm,
        recourse=int(quote.recourse),
        expires_ms=quote.expires_ms,
        state=STANDING,
    )
    db.add(REQUESTS, {"request_id": quote.request_id}, quotes_count=0 if event.replaces_id else 1)


def finance_ended(db: Writer, event: FinanceEnded, _at: At) -> None:
    """The part is free again."""
    db.update(REQUESTS, {"request_id": event.request_id}, state=event.state)
    db.update(QUOTES, {"request_id": event.request_id, "state": STANDING}, state=PASSED_OVER)
    db.update(PARTS, {"receivable_id": event.receivable_id}, state=State.HELD)


def receivable_financed(db: Writer, event: ReceivableFinanced, at: At) -> None:
    """Title and money changed hands; the other quotes are passed over."""
    db.update(REQUESTS, {"request_id": event.request_id}, state=RequestState.CHOSEN)
    db.update(QUOTES, {"request_id": event.request_id, "state": STANDING}, state=PASSED_OVER)
    db.update(
        QUOTES,
        {"quote_id": event.quote_id},
        state=CHOSEN,
        discount_day_count=event.discount_day_count,
        interest_fen=event.interest_fen,
        net_fen=event.net_fen,
    )
    _endorse(db, at, event, "financed", event.seller_id, event.bank_id, evidence=event.search_evidence)
    db.update(
        PARTS,
        {"receivable_id": event.receivable_id},
        state=State.FINANCED,
        seller_id=event.seller_id,
        recourse=int(event.recourse),
        registration_no=event.registration_no,
    )
    _count(db, at, financed_count=1, financed_fen=event.amount_fen, net_fen=event.net_fen)


def receivable_pledged(db: Writer, event: ReceivablePledged, _at: At) -> None:
    """It secures a bank."""
    db.update(
        PARTS,
        {"receivable_id": event.receivable_id},
        state=State.PLEDGED,
        pledgee_id=event.bank_id,
        secured_fen=event.secured_fen,
        registration_no=event.registration_no,
    )


def pledge_released(db: Writer, event: PledgeReleased, _at: At) -> None:
    """It is free again."""
    _unpledge(db, event.receivable_id, event.deregister_by_day)


def _unpledge(db: Writer, receivable_id: int, deregister_by_day: int) -> None:
    where = {"receivable_id": receivable_id}
    db.update(PARTS, where, state=State.HELD, pledgee_id=0, secured_fen=0, deregister_by_day=deregister_by_day)


def receivable_paid(db: Writer, event: ReceivablePaid, at: At) -> None:
    """The debtor's money reached a part."""
    amount_fen = event.holder_fen + event.pledgee_fen
    where = {"receivable_id": event.receivable_id}
    db.insert(
        PAYMENTS,
        receivable_id=event.receivable_id,
        payment_no=event.payment_no,
        root_id=event.root_id,
        debtor_id=event.debtor_id,
        holder_id=event.holder_id,
        holder_fen=event.holder_fen,
        pledgee_id=event.pledgee_id,
        pledgee_fen=event.pledgee_fen,
        open_fen=event.open_fen,
        paid_ms=at.market_ms,
    )
    db.add(PARTS, where, paid_fen=amount_fen, secured_fen=-event.pledgee_fen)
    if event.pledgee_id and event.deregister_by_day:
        _unpledge(db, event.receivable_id, event.deregister_by_day)
    if not event.open_fen:
        db.update(PARTS, where, state=State.REDEEMED, deregister_by_day=event.deregister_by_day)
    db.add(DEBTS, {"receivable_id": event.root_id}, open_fen=-amount_fen)
    db.add(DEBTORS, {"debtor_id": event.debtor_id}, open_fen=-amount_fen)
    _count(db, at, paid_fen=amount_fen)


def debt_overdue(db: Writer, event: DebtOverdue, at: At) -> None:
    """The debtor is blocked."""
    db.update(DEBTS, {"receivable_id": event.receivable_id}, state=DebtState.OVERDUE)
    db.add(DEBTORS, {"debtor_id": event.debtor_id}, overdue_count=1)
    _count(db, at, overdue_count=1)


def recourse_claimed(db: Writer, event: RecourseClaimed, at: At) -> None:
    """The seller has the title again."""
    _endorse(db, at, event, "recourse", event.bank_id, event.seller_id)
    db.update(
        PARTS,
        {"receivable_id": event.receivable_id},
        state=State.HELD,
        seller_id=0,
        recourse=0,
        deregister_by_day=event.deregister_by_day,
    )


def receivable_written_off(db: Writer, event: ReceivableWrittenOff, _at: At) -> None:
    """Collected no more."""
    db.update(PARTS, {"receivable_id": event.receivable_id}, state=State.WRITTEN_OFF)
    db.add(DEBTS, {"receivable_id": event.root_id}, open_fen=-event.amount_fen)
    db.add(DEBTORS, {"debtor_id": event.debtor_id}, open_fen=-event.amount_fen, written_off_fen=event.amount_fen)


def debt_closed(db: Writer, event: DebtClosed, at: At) -> None:
    """Nothing is open."""
    db.update(DEBTS, {"receivable_id": event.receivable_id}, state=event.state)
    if event.late:
        db.add(DEBTORS, {"debtor_id": event.debtor_id}, overdue_count=-1)
    if event.state is DebtState.REDEEMED:
        _count(db, at, redeemed_count=1)


VIEWS = Views(
    "receivables",
    TABLES,
    {
        ReceivableProposed: receivable_proposed,
        ReceivableEnded: receivable_ended,
        ReceivableAccepted: receivable_accepted,
        ReceivableSplit: receivable_split,
        ReceivableTransferred: receivable_transferred,
        FinanceRequested: finance_requested,
        FinanceQuoted: finance_quoted,
        FinanceEnded: finance_ended,
        ReceivableFinanced: receivable_financed,
        ReceivablePledged: receivable_pledged,
        PledgeReleased: pledge_released,
        ReceivablePaid: receivable_paid,
        DebtOverdue: debt_overdue,
        RecourseClaimed: recourse_claimed,
        ReceivableWrittenOff: receivable_written_off,
        DebtClosed: debt_closed,
    },
    (debts, receivables, endorsements, finance_requests, quotes, payments, debtors, receivables_months),
)
