"""Reservations: what a cash account keeps back for a purpose, such as a session of trading, without naming who will be paid."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from shudian.contracts.funds.messages import FundsReserved
from shudian.contracts.funds.messages_accounts import Balances, Code
from shudian.contracts.funds.messages_numbers import account_id_of, free_of, owner_of
from shudian.contracts.funds.rules_accounts import read_open, require_room, write
from shudian.contracts.funds.state import RESERVATIONS, Reservation
from shudian.kernel import check, fields
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore

# Members at hand: to fetch one from its enumeration takes Python 3.11 as long as ten look-ups, and these are asked for with every order.
_CASH: Final = Code.CASH

PURPOSE_MAX_COUNT: Final = 80


def reserved(at: HasStore, owner_id: int, purpose: str) -> int:
    """What an owner's cash account has reserved for a purpose, in fen; 0 if nothing."""
    row = RESERVATIONS.get(at, account_id_of(owner_id, _CASH), purpose)
    return 0 if row is None else row.amount_fen


def reservations(at: HasStore) -> Iterator[tuple[int, str, int]]:
    """(owner_id, purpose, fen) of all that is reserved, by owner and purpose."""
    for key, row in RESERVATIONS.range(at):
        yield owner_of(int(key[0])), str(key[1]), row.amount_fen


def reserve(ctx: BlockContext, owner_id: int, purpose: str, amount_fen: int) -> int:
    """Set what an owner's cash account has reserved for a purpose to exactly ``amount_fen`` (0: nothing any more).

    Returns the free funds after, in fen. The purpose is the deed it serves, ``agreement:3``. Refuses: 1011, 4001, 4002, 4003, 4008.
    Emits: FundsReserved, if anything changed.
    """
    fields.text("purpose", purpose, PURPOSE_MAX_COUNT)
    fields.whole("amount_fen", amount_fen, 0, fields.AMOUNT_MAX)
    more_fen = amount_fen - reserved(ctx, owner_id, purpose)
    return reserve_more(ctx, owner_id, purpose, purpose, more_fen, more_fen)


def reserve_more(ctx: BlockContext, owner_id: int, purpose: str, deed: str, more_fen: int, room_fen: int) -> int:
    """Add to what an owner's cash account has reserved for a purpose that several deeds share; a negative amount gives back.

    deed: the one that causes it, ``order:12``. room_fen: what has to be free for it, at least ``more_fen``: an order has to fit whole,
    also when it needs less in the end. Returns the free funds after, in fen. It is a fault of ours to give back more than is reserved.
    Refuses: 1011, 4001, 4002, 4003, 4008. Emits: FundsReserved, if anything changed.
    """
    account_id = account_id_of(owner_id, _CASH)
    account = read_open(ctx, account_id)
    balances = account.balances
    free_fen = free_of(_CASH, balances)
    if room_fen > free_fen:
        fields.whole("amount_fen", room_fen, 0, fields.AMOUNT_MAX)
        require_room(account_id, balances, _with_more(balances, room_fen), room_fen)
    if not more_fen:
        return free_fen
    check.that(more_fen <= room_fen, "nothing is reserved that nobody asked for room for")
    row = RESERVATIONS.get(ctx, account_id, purpose)
    amount_fen = more_fen if row is None else row.amount_fen + more_fen
    check.that(amount_fen >= 0, "nothing is given back that is not reserved")
    # no refusal below this line
    after = _with_more(balances, more_fen)
    write(ctx, account_id, replace(account, balances=after))
    if amount_fen:
        RESERVATIONS.put(ctx, (account_id, purpose), Reservation(amount_fen, ctx.market_ms))
    else:
        RESERVATIONS.delete(ctx, account_id, purpose)
    ctx.emit(
        FundsReserved(
            deed=deed,
            parties=(owner_id,) if owner_id == account.bank_id else (owner_id, account.bank_id),
            account_id=account_id,
            bank_id=account.bank_id,
            purpose=purpose,
            amount_fen=amount_fen,
            change_fen=more_fen,
            balances=after,
        )
    )
    return free_fen - more_fen


def _with_more(balances: Balances, more_fen: int) -> Balances:
    return replace(balances, debits_pending_fen=balances.debits_pending_fen + more_fen)
