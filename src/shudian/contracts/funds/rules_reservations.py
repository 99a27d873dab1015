"""Reservations: what a cash account keeps back for a purpose, such as an open order, without naming who will be paid."""

from collections.abc import Sequence

from msgspec.structs import replace

from shudian.contracts.funds.messages import ACCOUNT_CLOSED, FundsReserved
from shudian.contracts.funds.messages_accounts import Balances, Code, account_id_of, free_of, owner_of
from shudian.contracts.funds.rules_accounts import parties_of, read, read_open, require_room, write
from shudian.contracts.funds.state import RESERVATIONS, Account, Reservation
from shudian.kernel import fields
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore

PURPOSE_MAX_COUNT = 80


def reserved(at: HasStore, owner_id: int, purpose: str) -> int:
    """What an owner's cash account has reserved for a purpose, in fen; 0 if nothing."""
    row = RESERVATIONS.get(at, account_id_of(owner_id, Code.CASH), purpose)
    return 0 if row is None else row.amount_fen


def reserve(ctx: BlockContext, owner_id: int, purpose: str, amount_fen: int) -> int:
    """Set what an owner's cash account has reserved for a purpose to exactly ``amount_fen`` (0: nothing any more).

    Returns the free funds after, in fen. The purpose is the deed it serves, ``order:12``. Refuses: 1011, 4001, 4002, 4003, 4008.
    Emits: FundsReserved, if anything changed.
    """
    account_id = account_id_of(owner_id, Code.CASH)
    return _reserve(ctx, account_id, read_open(ctx, account_id), ((purpose, amount_fen),))


def reserve_each(ctx: BlockContext, owner_id: int, wanted_fen: Sequence[tuple[str, int]]) -> int:
    """:func:`reserve` for several purposes in turn, all or none; the account is read and written once.

    For what stands already: where nothing changes, the account may have been closed meanwhile. Returns the free funds after, in
    fen. Refuses: 1011, 4001, 4002, 4003, 4008. Emits: FundsReserved for each that changed.
    """
    account_id = account_id_of(owner_id, Code.CASH)
    return _reserve(ctx, account_id, read(ctx, account_id), wanted_fen)


def _reserve(ctx: BlockContext, account_id: int, account: Account, wanted_fen: Sequence[tuple[str, int]]) -> int:
    for purpose, amount_fen in wanted_fen:
        fields.text("purpose", purpose, PURPOSE_MAX_COUNT)
        fields.whole("amount_fen", amount_fen, 0, fields.AMOUNT_MAX)
    balances = account.balances
    changes: list[tuple[str, int, Balances]] = []
    for purpose, amount_fen in wanted_fen:
        row = RESERVATIONS.get(ctx, account_id, purpose)
        added_fen = amount_fen - (0 if row is None else row.amount_fen)
        if added_fen:
            if account.closed:
                raise ACCOUNT_CLOSED("account_id", account_id)
            after = replace(balances, debits_pending_fen=balances.debits_pending_fen + added_fen)
            require_room(account_id, balances, after, added_fen)
            balances = after
            changes.append((purpose, amount_fen, after))
    # no refusal below this line
    if changes:
        write(ctx, account_id, replace(account, balances=balances))
        parties = parties_of((owner_of(account_id), account.bank_id))
        for purpose, amount_fen, after in changes:
            if amount_fen:
                RESERVATIONS.put(ctx, (account_id, purpose), Reservation(amount_fen, ctx.market_ms))
            else:
                RESERVATIONS.delete(ctx, account_id, purpose)
            ctx.emit(
                FundsReserved(
                    deed=purpose,
                    parties=parties,
                    account_id=account_id,
                    bank_id=account.bank_id,
                    purpose=purpose,
                    amount_fen=amount_fen,
                    balances=after,
                )
            )
    return free_of(Code.CASH, balances)
