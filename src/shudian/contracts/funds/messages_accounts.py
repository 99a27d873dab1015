"""The words for money: accounts and their numbers, the four counters, orders to move money, kinds and states of entries."""

from enum import IntEnum, StrEnum

from shudian.kernel.codec import Record


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


OWN_CODES = (Code.CASH, Code.LEVY, Code.DEVIATION)


class TransferCode(IntEnum):
    """Why money moved, in this contract's own transfers; upper contracts number theirs from contract number x 100."""

    DEPOSIT = 401
    PAYOUT = 402
    COVER = 403
    """Between two banks' mirrors, for a transfer whose accounts are at different banks."""
    OPENING = 404


class Balances(Record):
    """The four counters of an account, in fen; posted ones only grow, pending ones are what open holds and reservations take."""

    debits_pending_fen: int = 0
    debits_posted_fen: int = 0
    credits_pending_fen: int = 0
    credits_posted_fen: int = 0


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
