"""Arithmetic of accounts: an account's number from its owner and code and back, and what four counters come to."""

from typing import Final

from shudian.contracts.funds.messages_accounts import Balances, Code
from shudian.kernel.units import floor_div, remainder

CODES_PER_OWNER: Final = 100

_CODES: Final = {code.value: code for code in Code}
# At hand: to fetch a member from its enumeration takes Python 3.11 as long as ten look-ups
_BANK: Final = Code.BANK


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
