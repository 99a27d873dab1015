"""Accounts: opening, closing, and the one place where their counters are read and written."""

import msgspec

from shudian.contracts.funds.messages import (
    ACCOUNT_ALREADY_OPEN,
    ACCOUNT_CLOSED,
    ACCOUNT_NOT_EMPTY,
    ACCOUNT_UNKNOWN,
    BALANCE_TOO_LOW,
    BANK_BALANCE_TOO_LOW,
    COUNTER_IS_FULL,
    AccountBalances,
    AccountClosed,
    AccountNumber,
    AccountOpened,
    CloseAccount,
    OpenAccount,
)
from shudian.contracts.funds.messages_accounts import OWN_CODES, Balances, Code
from shudian.contracts.funds.messages_numbers import account_id_of, balance_fen, code_of, free_of, owner_of
from shudian.contracts.funds.state import ACCOUNTS, Account
from shudian.contracts.funds.state_checks import COUNTER_MAX_FEN, is_empty, is_sound, sums, widest_fen
from shudian.contracts.identity import rules as identity
from shudian.contracts.roles import Kind
from shudian.kernel import check
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore


def account_of(at: HasStore, owner_id: int, code: Code = Code.CASH) -> int:
    """The number of an owner's account. Refuses: 4001."""
    account_id = account_id_of(owner_id, code)
    read(at, account_id)
    return account_id


def is_open(at: HasStore, owner_id: int, code: Code = Code.CASH) -> bool:
    """Whether an owner has an account of a code that takes entries."""
    account = ACCOUNTS.get(at, account_id_of(owner_id, code))
    return account is not None and not account.closed


def balances(at: HasStore, account_id: int) -> Balances:
    """The four counters of an account. Refuses: 4001."""
    return read(at, account_id).balances


def free_fen(at: HasStore, account_id: int) -> int:
    """What an account can still pay, hold or reserve. Refuses: 4001."""
    account = read(at, account_id)
    return free_of(code_of(account_id), account.balances)


def trial_balance(at: HasStore) -> tuple[int, int]:
    """All posted debits and all posted credits, in fen; equal, or the books are broken."""
    total = sums(at)
    return total.debits_posted_fen, total.credits_posted_fen


def open_account(ctx: BlockContext, owner_id: int, code: Code, bank_id: int = 0) -> int:
    """An owner's account of a code, opened if there is none; one that exists is left as it is.

    ``bank_id``: its settlement bank; 0 for that of the owner's cash account, or else the only bank of the market. Refuses: 3005 if
    that leaves the choice open.
    """
    account_id = account_id_of(owner_id, code)
    if ACCOUNTS.get(ctx, account_id) is None:
        open_at(ctx, account_id, bank_id or _bank_for(ctx, owner_id, code))
    return account_id


def _bank_for(ctx: BlockContext, owner_id: int, code: Code) -> int:
    if code == Code.BANK:
        return owner_id
    cash = ACCOUNTS.get(ctx, account_id_of(owner_id, Code.CASH))
    return identity.the_only(ctx, Kind.BANK) if cash is None else cash.bank_id


def open_at(ctx: BlockContext, account_id: int, bank_id: int, bank_account_digest: bytes = b"") -> None:
    """Open an account, or a closed one again, at a bank, whose mirror is opened with it. Emits: AccountOpened."""
    before = ACCOUNTS.get(ctx, account_id)
    account = Account(
        bank_id, bank_account_digest, closed=False, balances=Balances() if before is None else before.balances
    )
    write(ctx, account_id, account)
    ctx.emit(
        AccountOpened(
            deed=f"account:{account_id}",
            parties=parties_of((owner_of(account_id), bank_id)),
            account_id=account_id,
            bank_id=bank_id,
            bank_account_digest=bank_account_digest,
            balances=account.balances,
        )
    )
    open_account(ctx, bank_id, Code.BANK)


def open_member_account(ctx: Context, message: OpenAccount) -> AccountNumber:
    """Open the sender's accounts. Refuses: 4014, and 3001-3004 for the bank. Emits: AccountOpened."""
    account_id = account_id_of(ctx.sender_id, Code.CASH)
    cash = ACCOUNTS.get(ctx, account_id)
    if cash is not None and not cash.closed:
        raise ACCOUNT_ALREADY_OPEN("account_id", account_id)
    identity.require_kind(ctx, message.bank_id, (Kind.BANK,))
    identity.require_good(ctx, message.bank_id)
    owns_ledgers = identity.member(ctx, ctx.sender_id).kind == Kind.GRID_COMPANY
    # no refusal below this line
    for code in OWN_CODES if owns_ledgers else (Code.CASH,):
        open_at(ctx, account_id_of(ctx.sender_id, code), message.bank_id, message.bank_account_digest)
    return AccountNumber(account_id)


def close_account(ctx: Context, _message: CloseAccount) -> AccountBalances:
    """Close the sender's accounts. Refuses: 4001, 4002, 4015. Emits: AccountClosed."""
    cash_id = account_of(ctx, ctx.sender_id)
    own_ids = [account_id_of(ctx.sender_id, code) for code in OWN_CODES]
    accounts = [(account_id, row) for account_id in own_ids if (row := ACCOUNTS.get(ctx, account_id)) is not None]
    if all(account.closed for _, account in accounts):
        raise ACCOUNT_CLOSED("account_id", cash_id)
    for account_id, account in accounts:
        if not is_empty(account.balances):
            booked_fen = balance_fen(code_of(account_id), account.balances)
            raise ACCOUNT_NOT_EMPTY(
                "account_id",
                account_id,
                both(f"余额为 0 且无在途；现余额 {booked_fen}", f"balance 0 and nothing pending; booked {booked_fen}"),
            )
    # no refusal below this line
    for account_id, account in accounts:
        write(ctx, account_id, msgspec.structs.replace(account, closed=True))
        ctx.emit(
            AccountClosed(
                deed=f"account:{account_id}",
                parties=parties_of((ctx.sender_id, account.bank_id)),
                account_id=account_id,
            )
        )
    return AccountBalances(cash_id, read(ctx, cash_id).balances)


def read(at: HasStore, account_id: int, field: str = "account_id") -> Account:
    """The account of a number. Refuses: 4001, naming ``field``."""
    account = ACCOUNTS.get(at, account_id)
    if account is None:
        raise ACCOUNT_UNKNOWN(field, account_id)
    if not is_sound(account_id, account):
        message = f"account {account_id} is sound when read"
        raise check.CheckFailed(message)
    return account


def read_open(at: HasStore, account_id: int, field: str = "account_id") -> Account:
    """The account of a number, which must take entries. Refuses: 4001, 4002, naming ``field``."""
    account = read(at, account_id, field)
    if account.closed:
        raise ACCOUNT_CLOSED(field, account_id)
    return account


def write(ctx: BlockContext, account_id: int, account: Account) -> None:
    """Store an account that keeps its promises; anything else is a fault of ours."""
    if not is_sound(account_id, account):
        message = f"account {account_id} is sound when written"
        raise check.CheckFailed(message)
    ACCOUNTS.put(ctx, (account_id,), account)


def require_room(account_id: int, before: Balances, after: Balances, amount_fen: int) -> None:
    """Refuse counters that leave their range (4008) or an account that would pay more than is free (4003, a mirror 4004)."""
    code = code_of(account_id)
    if widest_fen(after) > COUNTER_MAX_FEN:
        raise COUNTER_IS_FULL(
            "amount_fen",
            amount_fen,
            both(
                f"账户 {account_id} 各计数 <= {COUNTER_MAX_FEN}",
                f"counters of account {account_id} <= {COUNTER_MAX_FEN}",
            ),
        )
    if free_of(code, after) < 0:
        too_low = BANK_BALANCE_TOO_LOW if code == Code.BANK else BALANCE_TOO_LOW
        free_fen = free_of(code, before)
        raise too_low(
            "amount_fen",
            amount_fen,
            both(f"<= {free_fen}，账户 {account_id}", f"<= {free_fen} on account {account_id}"),
        )


def parties_of(member_ids: tuple[int, ...]) -> tuple[int, ...]:
    """Each member once, in the given order."""
    return tuple(dict.fromkeys(member_ids))
