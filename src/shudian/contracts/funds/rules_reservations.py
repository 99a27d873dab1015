"""Reservations: what a cash account keeps back for a purpose, such as an open order, without naming who will be paid."""

import msgspec

from shudian.contracts.funds.messages import FundsReserved
from shudian.contracts.funds.messages_accounts import Code, account_id_of, free_of, owner_of
from shudian.contracts.funds.rules_accounts import account_of, parties_of, read_open, require_room, write
from shudian.contracts.funds.state import RESERVATIONS, Reservation
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
    fields.text("purpose", purpose, PURPOSE_MAX_COUNT)
    fields.whole("amount_fen", amount_fen, 0, fields.AMOUNT_MAX)
    account_id = account_of(ctx, owner_id)
    account = read_open(ctx, account_id)
    added_fen = amount_fen - reserved(ctx, owner_id, purpose)
    if added_fen == 0:
        return free_of(Code.CASH, account.balances)
    taken_fen = account.balances.debits_pending_fen + added_fen
    after = msgspec.structs.replace(account.balances, debits_pending_fen=taken_fen)
    require_room(account_id, account.balances, after, added_fen)
    # no refusal below this line
    write(ctx, account_id, msgspec.structs.replace(account, balances=after))
    if amount_fen:
        RESERVATIONS.put(ctx, (account_id, purpose), Reservation(amount_fen, ctx.market_ms))
    else:
        RESERVATIONS.delete(ctx, account_id, purpose)
    ctx.emit(
        FundsReserved(
            deed=purpose,
            parties=parties_of((owner_of(account_id), account.bank_id)),
            account_id=account_id,
            bank_id=account.bank_id,
            purpose=purpose,
            amount_fen=amount_fen,
            balances=after,
        )
    )
    return free_of(Code.CASH, after)
