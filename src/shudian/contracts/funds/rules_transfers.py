"""The money core: transfers in linked groups and two-phase holds, with TigerBeetle's semantics in integers.

A transfer between accounts at different banks brings its cover: the mirror of the payee's bank is debited and that of the payer's bank
credited, so each mirror goes on being the sum of its own sub-accounts.
"""

from collections.abc import Sequence

import msgspec

from shudian.contracts.funds.messages import (
    ACCOUNTS_ARE_THE_SAME,
    BANKS_DIFFER,
    HOLD_ALREADY_POSTED,
    HOLD_ALREADY_VOIDED,
    HOLD_EXPIRED,
    HOLD_TOO_SMALL,
    HOLD_UNKNOWN,
    ID_USED_FOR_ANOTHER_TRANSFER,
    FundsHeld,
    FundsTransferred,
    HoldReleased,
)
from shudian.contracts.funds.messages_accounts import Balances, Code, EntryKind, HoldState, Transfer, TransferCode
from shudian.contracts.funds.messages_numbers import account_id_of, code_of, owner_of
from shudian.contracts.funds.rules_accounts import balances, parties_of, read, read_open, require_room, write
from shudian.contracts.funds.state import ENTRIES, Entry
from shudian.kernel import check, fields
from shudian.kernel.contract import BlockContext
from shudian.kernel.ids import ID_BYTES, derived_id
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refused, both
from shudian.kernel.tables import HasStore, next_id

CODE_MAX = 65_535
DEED_MAX_COUNT = 80
ORDERED_FIELDS = (
    "kind",
    "debit_account_id",
    "credit_account_id",
    "amount_fen",
    "code",
    "deed",
    "hold_id",
    "expires_ms",
)
"""What must be equal for a repeated id to be the same act, in the order in which a difference is named."""


def transfer(ctx: BlockContext, transfers: Sequence[Transfer]) -> tuple[Balances, ...]:
    """Move money by one linked group: all transfers in order, each seeing those before it, or none.

    Returns the counters of the debit and the credit account of each transfer after the group. A transfer that was made before, field by
    field the same, moves nothing again. For contracts above; only deposits and pay-outs touch a bank's mirror. Refuses: 1011,
    4001-4008, the culprit named as ``transfers[n].field``. Emits: FundsTransferred.
    """
    mark, told_count = ctx.store.mark(), len(ctx.events)
    for place, order in enumerate(transfers):
        try:
            _transfer_one(ctx, order)
        except Refused as error:
            ctx.store.rollback(mark)
            del ctx.events[told_count:]
            field = f"transfers[{place}].{error.field}" if len(transfers) > 1 else error.field
            raise error.refusal(field, error.value, error.allowed) from None
    return tuple(
        balances(ctx, account_id)
        for order in transfers
        for account_id in (order.debit_account_id, order.credit_account_id)
    )


def hold(ctx: BlockContext, order: Transfer, expires_ms: int = 0) -> tuple[Balances, Balances]:
    """Hold an amount for a later transfer; it counts in the limits of both accounts until posted, voided or expired.

    ``expires_ms``: market time from which it can be neither posted nor voided; 0 for never. Returns the counters of debit and credit
    account. Refuses: 1011, 4001-4008. Emits: FundsHeld.
    """
    _check_order(order)
    wanted = _entry(ctx, EntryKind.HOLD, order, expires_ms=expires_ms, hold_state=HoldState.OPEN)
    if not _is_known(ctx, order.id, wanted):
        if expires_ms and expires_ms <= ctx.market_ms:
            raise FIELD_NOT_ALLOWED("expires_ms", expires_ms, f"0 | > {ctx.market_ms}")
        banks = _require_pair(ctx, order.debit_account_id, order.credit_account_id)
        debit, credit = _book(ctx, wanted, order.amount_fen, 0)
        _record(ctx, order.id, wanted)
        ctx.emit(
            FundsHeld(
                deed=order.deed,
                parties=_parties(wanted, banks),
                hold_id=order.id,
                debit_account_id=order.debit_account_id,
                credit_account_id=order.credit_account_id,
                debit_bank_id=banks[0],
                credit_bank_id=banks[1],
                amount_fen=order.amount_fen,
                code=order.code,
                expires_ms=expires_ms,
                debit=debit,
                credit=credit,
            )
        )
    return _pair(ctx, wanted)


def post(
    ctx: BlockContext, transfer_id: bytes, hold_id: bytes, amount_fen: int | None = None
) -> tuple[Balances, Balances]:
    """Turn a hold into a transfer, once, of the whole amount or of a part; the rest is free again.

    Returns the counters of debit and credit account. Refuses: 1011, 4005, 4008-4013. Emits: FundsTransferred.
    """
    held = _hold(ctx, hold_id)
    posted_fen = held.amount_fen if amount_fen is None else amount_fen
    order = Transfer(transfer_id, held.debit_account_id, held.credit_account_id, posted_fen, held.code, held.deed)
    _check_order(order)
    wanted = _entry(ctx, EntryKind.POST, order, hold_id=hold_id)
    if not _is_known(ctx, transfer_id, wanted):
        _require_open(ctx, hold_id, held)
        if posted_fen > held.amount_fen:
            raise HOLD_TOO_SMALL("amount_fen", posted_fen, f"<= {held.amount_fen}")
        debit, credit = _book(ctx, wanted, -held.amount_fen, posted_fen)
        ENTRIES.put(ctx, (hold_id,), msgspec.structs.replace(held, hold_state=HoldState.POSTED))
        _tell_posted(ctx, transfer_id, wanted, debit, credit)
    return _pair(ctx, wanted)


def void(ctx: BlockContext, transfer_id: bytes, hold_id: bytes) -> tuple[Balances, Balances]:
    """Give a hold back, once. Returns the counters of debit and credit account. Refuses: 1011, 4005, 4009-4012. Emits: HoldReleased."""
    held = _hold(ctx, hold_id)
    order = Transfer(transfer_id, held.debit_account_id, held.credit_account_id, held.amount_fen, held.code, held.deed)
    _check_order(order)
    wanted = _entry(ctx, EntryKind.VOID, order, hold_id=hold_id)
    if not _is_known(ctx, transfer_id, wanted):
        _require_open(ctx, hold_id, held)
        _record(ctx, transfer_id, wanted)
        _release(ctx, hold_id, held, HoldState.VOIDED)
    return _pair(ctx, wanted)


def require_open_hold(at: BlockContext, hold_id: bytes) -> None:
    """Refuse a hold that has ended. Refuses: 4009-4012."""
    _require_open(at, hold_id, _hold(at, hold_id))


def expire_holds(ctx: BlockContext) -> None:
    """Block hook: give back every hold whose time has come. Emits: HoldReleased."""
    for key, held in ENTRIES.due(ctx, "by_expiry", ctx.market_ms):
        _release(ctx, bytes(key[0]), held, HoldState.EXPIRED)  # type: ignore[arg-type] # the key column holds bytes


def is_posted(at: HasStore, transfer_id: bytes) -> bool:
    """Whether a transfer, or the posting of a hold, of that id was made."""
    known = ENTRIES.get(at, transfer_id)
    return known is not None and known.kind in (EntryKind.TRANSFER, EntryKind.POST)


def _transfer_one(ctx: BlockContext, order: Transfer) -> None:
    _check_order(order)
    wanted = _entry(ctx, EntryKind.TRANSFER, order)
    if not _is_known(ctx, order.id, wanted):
        _require_pair(ctx, order.debit_account_id, order.credit_account_id)
        debit, credit = _book(ctx, wanted, 0, order.amount_fen)
        _tell_posted(ctx, order.id, wanted, debit, credit)


def _check_order(order: Transfer) -> None:
    if len(order.id) != ID_BYTES:
        raise FIELD_NOT_ALLOWED("id", fields.in_bytes(len(order.id)), fields.in_bytes(ID_BYTES))
    fields.whole("amount_fen", order.amount_fen, 1, fields.AMOUNT_MAX)
    fields.whole("code", order.code, 0, CODE_MAX)
    fields.text("deed", order.deed, DEED_MAX_COUNT)
    if order.debit_account_id == order.credit_account_id:
        raise ACCOUNTS_ARE_THE_SAME("credit_account_id", order.credit_account_id)


def _entry(
    ctx: BlockContext,
    kind: EntryKind,
    order: Transfer,
    *,
    hold_id: bytes = b"",
    expires_ms: int = 0,
    hold_state: HoldState = HoldState.NONE,
) -> Entry:
    return Entry(
        kind,
        order.debit_account_id,
        order.credit_account_id,
        order.amount_fen,
        order.code,
        order.deed,
        hold_id,
        expires_ms,
        hold_state,
        entry_no=0,
        made_ms=ctx.market_ms,
    )


def _is_known(ctx: BlockContext, transfer_id: bytes, wanted: Entry) -> bool:
    """Whether this very act was done before. Refuses: 4005, naming the first field that differs."""
    known = ENTRIES.get(ctx, transfer_id)
    if known is None:
        return False
    for name in ORDERED_FIELDS:
        if getattr(known, name) != getattr(wanted, name):
            raise ID_USED_FOR_ANOTHER_TRANSFER(name, getattr(wanted, name), getattr(known, name))
    return True


def _require_pair(ctx: BlockContext, debit_account_id: int, credit_account_id: int) -> tuple[int, int]:
    """The banks of two accounts that may move money between them. Refuses: 4001, 4002, 4007."""
    debit = read_open(ctx, debit_account_id, "debit_account_id")
    credit = read_open(ctx, credit_account_id, "credit_account_id")
    touches_mirror = Code.BANK in (code_of(debit_account_id), code_of(credit_account_id))
    if touches_mirror and debit.bank_id != credit.bank_id:
        raise BANKS_DIFFER(
            "credit_account_id",
            credit_account_id,
            both(f"在银行 {debit.bank_id} 的账户", f"an account at bank {debit.bank_id}"),
        )
    return debit.bank_id, credit.bank_id


def _hold(ctx: BlockContext, hold_id: bytes) -> Entry:
    held = ENTRIES.get(ctx, hold_id)
    if held is None or held.kind != EntryKind.HOLD:
        raise HOLD_UNKNOWN("hold_id", hold_id.hex())
    return held


def _require_open(ctx: BlockContext, hold_id: bytes, held: Entry) -> None:
    if held.hold_state == HoldState.POSTED:
        raise HOLD_ALREADY_POSTED("hold_id", hold_id.hex())
    if held.hold_state == HoldState.VOIDED:
        raise HOLD_ALREADY_VOIDED("hold_id", hold_id.hex())
    if held.expires_ms and held.expires_ms <= ctx.market_ms:
        raise HOLD_EXPIRED("hold_id", hold_id.hex(), f"< {held.expires_ms}")
    check.that(held.hold_state == HoldState.OPEN, "a hold in time that was neither posted nor voided is open")


def _book(ctx: BlockContext, entry: Entry, pending_fen: int, posted_fen: int) -> tuple[Balances, Balances]:
    """Add to the pending and posted counters of both sides; returns them. Refuses: 4003, 4004, 4008."""
    debit, credit = read(ctx, entry.debit_account_id), read(ctx, entry.credit_account_id)
    debit_after = msgspec.structs.replace(
        debit.balances,
        debits_pending_fen=debit.balances.debits_pending_fen + pending_fen,
        debits_posted_fen=debit.balances.debits_posted_fen + posted_fen,
    )
    credit_after = msgspec.structs.replace(
        credit.balances,
        credits_pending_fen=credit.balances.credits_pending_fen + pending_fen,
        credits_posted_fen=credit.balances.credits_posted_fen + posted_fen,
    )
    require_room(entry.debit_account_id, debit.balances, debit_after, entry.amount_fen)
    require_room(entry.credit_account_id, credit.balances, credit_after, entry.amount_fen)
    # no refusal below this line
    write(ctx, entry.debit_account_id, msgspec.structs.replace(debit, balances=debit_after))
    write(ctx, entry.credit_account_id, msgspec.structs.replace(credit, balances=credit_after))
    return debit_after, credit_after


def _record(ctx: BlockContext, transfer_id: bytes, entry: Entry) -> int:
    entry_no = next_id(ctx, "funds.entry")
    ENTRIES.put(ctx, (transfer_id,), msgspec.structs.replace(entry, entry_no=entry_no))
    return entry_no


def _tell_posted(ctx: BlockContext, transfer_id: bytes, entry: Entry, debit: Balances, credit: Balances) -> None:
    """Record and tell a movement that is booked, and cover it between the banks if they differ."""
    banks = (read(ctx, entry.debit_account_id).bank_id, read(ctx, entry.credit_account_id).bank_id)
    entry_no = _record(ctx, transfer_id, entry)
    ctx.emit(
        FundsTransferred(
            deed=entry.deed,
            parties=_parties(entry, banks),
            entry_no=entry_no,
            transfer_id=transfer_id,
            hold_id=entry.hold_id,
            debit_account_id=entry.debit_account_id,
            credit_account_id=entry.credit_account_id,
            debit_bank_id=banks[0],
            credit_bank_id=banks[1],
            amount_fen=entry.amount_fen,
            code=entry.code,
            debit=debit,
            credit=credit,
        )
    )
    is_cover = code_of(entry.debit_account_id) == code_of(entry.credit_account_id) == Code.BANK
    if banks[0] != banks[1] and not is_cover:
        mirrors = (account_id_of(banks[1], Code.BANK), account_id_of(banks[0], Code.BANK))
        order = Transfer(
            derived_id("cover", transfer_id.hex()), *mirrors, entry.amount_fen, TransferCode.COVER, entry.deed
        )
        cover = _entry(ctx, EntryKind.TRANSFER, order)
        _tell_posted(ctx, order.id, cover, *_book(ctx, cover, 0, order.amount_fen))


def _release(ctx: BlockContext, hold_id: bytes, held: Entry, state: HoldState) -> None:
    debit, credit = _book(ctx, held, -held.amount_fen, 0)
    ENTRIES.put(ctx, (hold_id,), msgspec.structs.replace(held, hold_state=state))
    ctx.emit(
        HoldReleased(
            deed=held.deed,
            parties=parties_of((owner_of(held.debit_account_id), owner_of(held.credit_account_id))),
            hold_id=hold_id,
            debit_account_id=held.debit_account_id,
            credit_account_id=held.credit_account_id,
            state=state,
            debit=debit,
            credit=credit,
        )
    )


def _pair(ctx: BlockContext, entry: Entry) -> tuple[Balances, Balances]:
    return balances(ctx, entry.debit_account_id), balances(ctx, entry.credit_account_id)


def _parties(entry: Entry, banks: tuple[int, int]) -> tuple[int, ...]:
    return parties_of((owner_of(entry.debit_account_id), owner_of(entry.credit_account_id), *banks))
