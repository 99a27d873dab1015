"""The words for money: accounts and their numbers, the four counters, orders to move money, kinds and states of entries."""

from enum import IntEnum, StrEnum

from shudian.kernel.codec import Record
from shudian.kernel.units import floor_div, remainder

CODES_PER_OWNER = 100


class Code(IntEnum):
    """What an account is for. An account's number is its owner's member id x 100 + code, so each owner has one per code."""

    CASH = 10
    """资金子账户: a member's money, a mirror of its sub-account at the settlement bank; debits must not exceed credits."""
    BANK = 20
    """银行镜像: what a settlement bank holds for all its sub-accounts; credits must not exceed debits. Owner: the bank."""
    LEVY = 30
    """政府性基金及附加: levies collected for the treasury; debits must not exceed credits. Owner: the grid company."""
    DEVIATION = 31
    """偏差资金: deviation charges collected and returned; debits must not exceed credits. Owner: the grid company."""


_CODES = {code.value: code for code in Code}
_BANK = Code.BANK  # at hand: to fetch a member from its enumeration takes Python 3.11 as long as ten look-ups
OWN_CODES = (Code.CASH, Code.LEVY, Code.DEVIATION)


class TransferCode(IntEnum):
    """Why money moved, in this contract's own transfers; upper contracts number theirs from contract number x 100."""

    DEPOSIT = 401
    PAYOUT = 402
    COVER = 403
    """Between two banks' mirrors, for a transfer whose accounts are at different banks."""
    OPENING = 404


def account_id_of(owner_id: int, code: Code) -> int:
    """The number of an owner's account of a code.

    >>> account_id_of(12, Code.CASH)
    1210
    """
    return owner_id * CODES_PER_OWNER + code


def owner_of(account_id: int) -> int:
    """The member that owns an account.

    >>> owner_of(1210)
    12
    """
    return floor_div(account_id, CODES_PER_OWNER)


def code_of(account_id: int) -> Code:
    """What an account is for.

    >>> code_of(1210).name
    'CASH'
    """
    return _CODES[remainder(account_id, CODES_PER_OWNER)]


class Balances(Record):
    """The four counters of an account, in fen; posted ones only grow, pending ones are what open holds and reservations take."""

    debits_pending_fen: int = 0
    debits_posted_fen: int = 0
    credits_pending_fen: int = 0
    credits_posted_fen: int = 0


def balance_fen(code: Code, balances: Balances) -> int:
    """What is booked on an account, in fen: credits less debits, for a bank's mirror debits less credits.

    >>> balance_fen(Code.CASH, Balances(300, 200, 0, 1_000))
    800
    """
    net_fen = balances.credits_posted_fen - balances.debits_posted_fen
    return -net_fen if code == _BANK else net_fen


def free_of(code: Code, balances: Balances) -> int:
    """What an account can still pay, in fen: what is booked less what is held and reserved; money on its way in does not count.

    >>> free_of(Code.CASH, Balances(300, 200, 50, 1_000))
    500
    """
    net_fen = balances.credits_posted_fen - balances.debits_posted_fen
    return -net_fen - balances.credits_pending_fen if code == _BANK else net_fen - balances.debits_pending_fen


class Transfer(Record):
    """An order to move money. id: 16 bytes, names this movement for good; amount_fen > 0; code: why; deed: root id of its story."""

    id: bytes
    debit_account_id: int
    credit_account_id: int
    amount_fen: int
    code: int
    deed: str


class EntryKind(StrEnum):
    """Kinds of journal entry."""

    TRANSFER = "transfer"
    HOLD = "hold"
    POST = "post"
    VOID = "void"


class HoldState(StrEnum):
    """What became of a hold (圈存); every other entry has none."""

    NONE = "none"
    OPEN = "open"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"
