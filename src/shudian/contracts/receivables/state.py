"""What receivables remembers: debts, their parts, what is claimed once for all, finance requests and quotes, debtors' totals."""

from shudian.contracts.receivables.messages import OPEN_STATES, Debt, DebtState, Receivable, State
from shudian.contracts.receivables.messages_finance import FinanceRequest, Quote, RequestState
from shudian.kernel.codec import Record
from shudian.kernel.contract import BlockContext, RowInvariant, StateInvariant
from shudian.kernel.tables import Key, Table

_OWED = (DebtState.ACCEPTED, DebtState.OVERDUE)
BLOCKING = (DebtState.OVERDUE, DebtState.WRITTEN_OFF)
"""States of a debt whose debtor cannot issue any more."""


class Claim(Record):
    """What may be claimed once over the ledger: a fingerprint, an invoice, a statement line, a registration. receivable_id: by which."""

    receivable_id: int


class Debtor(Record):
    """A debtor's total. open_fen: what it owes on all accepted debts."""

    open_fen: int


def _by_answer(_key: Key, row: Debt) -> Key | None:
    return (row.accept_by_day,) if row.state is DebtState.PROPOSED else None


def _by_due(_key: Key, row: Debt) -> Key | None:
    return (row.due_day,) if row.state in _OWED else None


def _blocking(_key: Key, row: Debt) -> Key | None:
    return (row.debtor_id,) if row.state in BLOCKING else None


def _open_by_root(_key: Key, row: Receivable) -> Key | None:
    return (row.root_id,) if row.state in OPEN_STATES else None


def _by_root(_key: Key, row: Receivable) -> Key:
    return (row.root_id,)


def _by_expiry(_key: Key, row: FinanceRequest) -> Key | None:
    return (row.expires_ms,) if row.state is RequestState.OPEN else None


def _standing(_key: Key, row: Quote) -> Key | None:
    return None if row.replaced else (row.request_id, row.bank_id)


DEBTS = Table(
    "receivables.debts", Debt, ("root_id",), {"by_answer": _by_answer, "by_due": _by_due, "blocking": _blocking}
)
RECEIVABLES = Table(
    "receivables.receivables", Receivable, ("receivable_id",), {"open_by_root": _open_by_root, "by_root": _by_root}
)
CLAIMS = Table("receivables.claims", Claim, ("digest",))
DEBTORS = Table("receivables.debtors", Debtor, ("debtor_id",))
REQUESTS = Table("receivables.requests", FinanceRequest, ("request_id",), {"by_expiry": _by_expiry})
QUOTES = Table("receivables.quotes", Quote, ("quote_id",), {"standing": _standing})

TABLES = (DEBTS, RECEIVABLES, CLAIMS, DEBTORS, REQUESTS, QUOTES)


def _debt_is_within(_key: Key, row: Debt) -> bool:
    sides_differ = row.creditor_id != row.debtor_id
    return sides_differ and 0 <= row.open_fen <= row.amount_fen and row.issued_day < row.due_day


def _part_is_sound(_key: Key, row: Receivable) -> bool:
    is_locked = (row.state is State.OFFERED) == bool(row.request_id)
    is_pledged = (row.state is State.PLEDGED) == bool(row.pledgee_id)
    is_paid_up = row.state is not State.REDEEMED or row.open_fen == 0
    is_open = row.state not in OPEN_STATES or row.open_fen > 0
    return is_locked and is_pledged and is_paid_up and is_open and 0 <= row.paid_fen <= row.amount_fen


def _parts_are_their_debt(at: BlockContext) -> bool:
    """Open amounts of a debt's parts sum to what is open on it, and faces of its leaves to its amount."""
    opens: dict[int, int] = {}
    faces: dict[int, int] = {}
    for _, row in RECEIVABLES.range(at):
        if row.state in OPEN_STATES:
            opens[row.root_id] = opens.get(row.root_id, 0) + row.open_fen
        if row.state is not State.SPLIT:
            faces[row.root_id] = faces.get(row.root_id, 0) + row.amount_fen
    return all(
        (opens.get(int(key[0]), 0), faces.get(int(key[0]), 0)) == (debt.open_fen, debt.amount_fen)
        for key, debt in DEBTS.range(at)
        if debt.state in (*_OWED, DebtState.REDEEMED, DebtState.WRITTEN_OFF)
    )


def _children_are_their_parent(at: BlockContext) -> bool:
    sums: dict[int, int] = {}
    for _, row in RECEIVABLES.range(at):
        if row.parent_id:
            sums[row.parent_id] = sums.get(row.parent_id, 0) + row.amount_fen
    return sums == {int(key[0]): row.amount_fen for key, row in RECEIVABLES.range(at) if row.state is State.SPLIT}


def _debtors_are_their_debts(at: BlockContext) -> bool:
    sums: dict[int, int] = {}
    for _, debt in DEBTS.range(at):
        if debt.state in _OWED:
            sums[debt.debtor_id] = sums.get(debt.debtor_id, 0) + debt.open_fen
    held = {int(key[0]): row.open_fen for key, row in DEBTORS.range(at) if row.open_fen}
    return held == {debtor_id: open_fen for debtor_id, open_fen in sums.items() if open_fen}


INVARIANTS = (
    RowInvariant("a debt is between two members and never owed beyond its amount", DEBTS, _debt_is_within),
    RowInvariant("a part is locked by one thing at most and never paid beyond its face", RECEIVABLES, _part_is_sound),
    StateInvariant("the parts of a debt are the debt", _parts_are_their_debt),
    StateInvariant("children sum to their parent", _children_are_their_parent),
    StateInvariant("a debtor's total is the sum of its debts", _debtors_are_their_debts),
)
