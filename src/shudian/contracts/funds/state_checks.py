"""What funds promises of its rows, one by one and all together."""

from typing import Final

from msgspec.structs import astuple

from shudian.contracts.funds.messages_accounts import Balances, Code, EntryKind, HoldState
from shudian.contracts.funds.messages_numbers import balance_fen, code_of, free_of, owner_of
from shudian.contracts.funds.state import ACCOUNTS, ENTRIES, RESERVATIONS, Account, Entry, Reservation
from shudian.kernel.contract import RowInvariant, StateInvariant
from shudian.kernel.tables import HasStore, Key

COUNTER_MAX_FEN: Final = 2**63 - 1

# At hand: to fetch a member from its enumeration takes Python 3.11 as long as ten look-ups
_BANK: Final = Code.BANK


def widest_fen(balances: Balances) -> int:
    """The larger side of an account, held and posted together, so that posting a hold can never leave the range."""
    debits_fen = balances.debits_pending_fen + balances.debits_posted_fen
    credits_fen = balances.credits_pending_fen + balances.credits_posted_fen
    return debits_fen if debits_fen > credits_fen else credits_fen  # noqa: FURB136 - max takes three times as long, in the path of every order


def is_sound(account_id: int, account: Account) -> bool:
    """Whether all counters are in range, nothing is overdrawn, and a closed account is empty.

    The same as the first three invariants below, in one step: money is looked at each time it is read or written.
    """
    counters = account.balances
    debits_fen, credits_fen = counters.debits_posted_fen, counters.credits_posted_fen
    debits_pending_fen, credits_pending_fen = counters.debits_pending_fen, counters.credits_pending_fen
    if debits_fen < 0 or credits_fen < 0 or debits_pending_fen < 0 or credits_pending_fen < 0:
        return False
    if debits_pending_fen + debits_fen > COUNTER_MAX_FEN or credits_pending_fen + credits_fen > COUNTER_MAX_FEN:
        return False
    if code_of(account_id) is _BANK:
        is_covered = debits_fen - credits_fen >= credits_pending_fen
    else:
        is_covered = credits_fen - debits_fen >= debits_pending_fen
    return is_covered and (not account.closed or is_empty(counters))


def _counters_in_range(_key: Key, row: Account) -> bool:
    return min(astuple(row.balances)) >= 0 and widest_fen(row.balances) <= COUNTER_MAX_FEN


def _within_limit(key: Key, row: Account) -> bool:
    return free_of(code_of(int(key[0])), row.balances) >= 0


def _closed_is_empty(_key: Key, row: Account) -> bool:
    return not row.closed or is_empty(row.balances)


def is_empty(balances: Balances) -> bool:
    """Whether nothing is booked, held or reserved."""
    return (
        balances.credits_posted_fen == balances.debits_posted_fen
        and not balances.debits_pending_fen
        and not balances.credits_pending_fen
    )


def _mirror_is_own(key: Key, row: Account) -> bool:
    account_id = int(key[0])
    return code_of(account_id) != Code.BANK or row.bank_id == owner_of(account_id)


def _entry_is_sound(_key: Key, row: Entry) -> bool:
    is_hold = row.kind == EntryKind.HOLD
    ends_hold = row.kind in (EntryKind.POST, EntryKind.VOID)
    return (
        row.amount_fen > 0
        and row.debit_account_id != row.credit_account_id
        and is_hold == (row.hold_state != HoldState.NONE)
        and ends_hold == bool(row.hold_id)
    )


def _reservation_is_positive(_key: Key, row: Reservation) -> bool:
    return row.amount_fen > 0


def sums(at: HasStore) -> Balances:
    """Each counter summed over all accounts, in fen."""
    rows = [row.balances for _, row in ACCOUNTS.every(at)]
    return Balances(
        sum(row.debits_pending_fen for row in rows),
        sum(row.debits_posted_fen for row in rows),
        sum(row.credits_pending_fen for row in rows),
        sum(row.credits_posted_fen for row in rows),
    )


def _posted_debits_are_credits(at: HasStore) -> bool:
    total = sums(at)
    return total.debits_posted_fen == total.credits_posted_fen


def _pending_is_holds_and_reservations(at: HasStore) -> bool:
    debits: dict[int, int] = {}
    credits_: dict[int, int] = {}
    for _, hold in ENTRIES.find(at, "open"):
        debits[hold.debit_account_id] = debits.get(hold.debit_account_id, 0) + hold.amount_fen
        credits_[hold.credit_account_id] = credits_.get(hold.credit_account_id, 0) + hold.amount_fen
    for key, reservation in RESERVATIONS.every(at):
        account_id = int(key[0])
        debits[account_id] = debits.get(account_id, 0) + reservation.amount_fen
    return all(
        row.balances.debits_pending_fen == debits.get(int(key[0]), 0)
        and row.balances.credits_pending_fen == credits_.get(int(key[0]), 0)
        for key, row in ACCOUNTS.every(at)
    )


def _mirrors_equal_sub_accounts(at: HasStore) -> bool:
    held: dict[int, int] = {}
    for key, row in ACCOUNTS.every(at):
        code = code_of(int(key[0]))
        sign = 1 if code == Code.BANK else -1
        held[row.bank_id] = held.get(row.bank_id, 0) + sign * balance_fen(code, row.balances)
    return not any(held.values())


INVARIANTS: Final = (
    RowInvariant("no counter is negative or too large", ACCOUNTS, _counters_in_range),
    RowInvariant("no account has paid, held or reserved more than it has", ACCOUNTS, _within_limit),
    RowInvariant("a closed account is empty", ACCOUNTS, _closed_is_empty),
    RowInvariant("a mirror belongs to its bank", ACCOUNTS, _mirror_is_own),
    RowInvariant("an entry moves a positive amount between two accounts", ENTRIES, _entry_is_sound),
    RowInvariant("a reservation is positive", RESERVATIONS, _reservation_is_positive),
    StateInvariant("posted debits equal posted credits", _posted_debits_are_credits),
    StateInvariant("pending counters equal open holds and reservations", _pending_is_holds_and_reservations),
    StateInvariant("each bank's mirror equals the sum of its sub-accounts", _mirrors_equal_sub_accounts),
)
