"""What funds remembers: accounts with four counters, the journal of entries, reservations, pay-out requests."""

from shudian.contracts.funds.messages_accounts import Balances, EntryKind, HoldState
from shudian.kernel.codec import Record
from shudian.kernel.tables import Key, Table

# At hand: to fetch a member from its enumeration takes Python 3.11 as long as ten look-ups, and this is asked with every order.


class Account(Record):
    """One account; owner and code are in its number.

    bank_id: settlement bank whose sub-account it mirrors. bank_account_digest: salted SHA-256 of the bank account number, empty for
    a bank's own mirror. closed: takes no entries. balances: the four counters.
    """

    bank_id: int
    bank_account_digest: bytes
    closed: bool
    balances: Balances


class Entry(Record):
    """One line of the journal, kept for good so that an id never moves money twice; only a hold's state changes.

    kind: transfer, hold, post or void. debit_account_id, credit_account_id, amount_fen, code, deed: as ordered. hold_id: the hold
    that a post or void ends, else empty. expires_ms: of a hold, 0 for never. hold_state: of a hold. entry_no: rises by one.
    made_ms: market time.
    """

    kind: EntryKind
    debit_account_id: int
    credit_account_id: int
    amount_fen: int
    code: int
    deed: str
    hold_id: bytes
    expires_ms: int
    hold_state: HoldState
    entry_no: int
    made_ms: int


class Reservation(Record):
    """What a cash account keeps back for a purpose. amount_fen: > 0. set_ms: market time of the last change."""

    amount_fen: int
    set_ms: int


class Payout(Record):
    """A pay-out request; what became of it is its hold's state.

    account_id: what is paid from. bank_id: the bank asked. amount_fen: held. hold_id: the hold. requested_ms: market time.
    """

    account_id: int
    bank_id: int
    amount_fen: int
    hold_id: bytes
    requested_ms: int


def _open_holds(_key: Key, row: Entry) -> Key | None:
    return (row.debit_account_id,) if row.hold_state == HoldState.OPEN else None


def _expiring_holds(_key: Key, row: Entry) -> Key | None:
    return (row.expires_ms,) if row.hold_state == HoldState.OPEN and row.expires_ms else None


ACCOUNTS = Table("funds.accounts", Account, ("account_id",))
ENTRIES = Table("funds.entries", Entry, ("id",), {"open": _open_holds, "by_expiry": _expiring_holds})
RESERVATIONS = Table("funds.reservations", Reservation, ("account_id", "purpose"))
PAYOUTS = Table("funds.payouts", Payout, ("payout_id",))

TABLES = (ACCOUNTS, ENTRIES, RESERVATIONS, PAYOUTS)
