"""Contract transfer 合同转让 (domain 3.5): proposed by a side of an agreement, signed by who takes over; collateral and money follow."""

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Terms
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Transfer as FundsTransfer
from shudian.contracts.identity import rules as identity
from shudian.contracts.trading import rules_collateral as collateral
from shudian.contracts.trading import rules_exposure as exposure
from shudian.contracts.trading import rules_numbers as numbers
from shudian.contracts.trading import rules_positions as positions
from shudian.contracts.trading.messages import Side
from shudian.contracts.trading.messages_negotiations import (
    EXPIRY_DOES_NOT_FIT,
    TERMS_DIFFER,
    VALUE_DIFFERS,
    SignReply,
)
from shudian.contracts.trading.messages_transfers import (
    AGREEMENT_OF_OTHERS,
    RECEIVER_DOES_NOT_FIT,
    TRANSFER_CODE,
    TRANSFER_OF_OTHERS,
    TRANSFER_UNKNOWN,
    ProposeTransfer,
    SignTransfer,
    TransferConcluded,
    TransferEnd,
    TransferEnded,
    TransferProposed,
    TransferReply,
    WithdrawTransfer,
)
from shudian.contracts.trading.state import TRANSFERS, Transfer
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.ids import derived_id
from shudian.kernel.tables import HasStore, next_id
from shudian.kernel.units import energy_fen, round_half_away


def _deed(transfer_id: int) -> str:
    return f"transfer:{transfer_id}"


def propose_transfer(ctx: Context, message: ProposeTransfer) -> TransferReply:
    """Propose that another member takes over energy of days to come.

    Refuses: 2003, 3001-3003, 8001-8005, 9009, 9029, 9063, 9064. Emits: TransferProposed.
    """
    agreement = agreements.agreement(ctx, message.agreement_id)
    if ctx.sender_id not in (agreement.seller_id, agreement.buyer_id):
        raise AGREEMENT_OF_OTHERS("agreement_id", message.agreement_id)
    kind = identity.member(ctx, ctx.sender_id).kind
    receiver = identity.require_good(ctx, message.receiver_id)
    if receiver.kind != kind or message.receiver_id == ctx.sender_id:
        raise RECEIVER_DOES_NOT_FIT("receiver_id", message.receiver_id, kind)
    delivery_ms = clock.ms_at(message.first_day)
    if not ctx.market_ms < message.expires_ms <= delivery_ms:
        raise EXPIRY_DOES_NOT_FIT("expires_ms", message.expires_ms, f"{ctx.market_ms + 1}..{delivery_ms}")
    row = Transfer(
        agreement_id=message.agreement_id,
        from_id=ctx.sender_id,
        to_id=message.receiver_id,
        first_day=message.first_day,
        quantities_kwh=message.quantities_kwh,
        price_myuan_mwh=message.price_myuan_mwh,
        expires_ms=message.expires_ms,
    )
    terms = _child(ctx, row)
    numbers.check_band(numbers.of_product(ctx, terms.product), message.price_myuan_mwh)
    # no refusal below this line
    transfer_id = next_id(ctx, "trading.transfer")
    TRANSFERS.put(ctx, (transfer_id,), row)
    worth_fen, difference_fen, terms_hash = _value_fen(row), _difference_fen(row, terms), agreements.hash_of(terms)
    counterparty_id = _counterparty(terms, row)
    ctx.emit(
        TransferProposed(
            deed=_deed(transfer_id),
            parties=(row.from_id, row.to_id),
            also=(f"agreement:{row.agreement_id}",),
            transfer_id=transfer_id,
            agreement_id=row.agreement_id,
            from_id=row.from_id,
            to_id=row.to_id,
            counterparty_id=counterparty_id,
            terms=terms,
            terms_hash=terms_hash,
            price_myuan_mwh=row.price_myuan_mwh,
            value_fen=worth_fen,
            difference_fen=difference_fen,
            expires_ms=row.expires_ms,
        )
    )
    return TransferReply(transfer_id, terms_hash, worth_fen, difference_fen)


def _child(ctx: BlockContext, row: Transfer) -> Terms:
    """The terms of the agreement that the transfer makes as things stand. Refuses: 8001-8005."""
    return agreements.child_terms(
        ctx, row.agreement_id, row.from_id, row.to_id, row.first_day, row.quantities_kwh, row.price_myuan_mwh
    )


def _counterparty(child: Terms, row: Transfer) -> int:
    return child.buyer_id if child.seller_id == row.to_id else child.seller_id


def _value_fen(row: Transfer) -> int:
    return energy_fen(sum(row.quantities_kwh), row.price_myuan_mwh)


def _difference_fen(row: Transfer, child: Terms) -> int:
    """What the receiver pays the sender so that the energy costs it the price of the transfer, in fen, rounded per line.

    A receiver that sells will be paid the parent's price and passes on what exceeds the transfer's; one that buys the other way round.
    """
    over_fen = sum(energy_fen(line.quantity_kwh, line.price_myuan_mwh - row.price_myuan_mwh) for line in child.lines)
    return over_fen if child.seller_id == row.to_id else -over_fen


def _transfer(at: HasStore, transfer_id: int) -> Transfer:
    row = TRANSFERS.get(at, transfer_id)
    if row is None:
        raise TRANSFER_UNKNOWN("transfer_id", transfer_id)
    return row


def withdraw_transfer(ctx: Context, message: WithdrawTransfer) -> None:
    """Take a proposed transfer back, or decline it. Refuses: 9061, 9062. Emits: TransferEnded."""
    row = _transfer(ctx, message.transfer_id)
    if ctx.sender_id not in (row.from_id, row.to_id):
        raise TRANSFER_OF_OTHERS("transfer_id", message.transfer_id)
    # no refusal below this line
    _end(ctx, message.transfer_id, row, TransferEnd.WITHDRAWN)


def _end(ctx: BlockContext, transfer_id: int, row: Transfer, end: TransferEnd) -> None:
    TRANSFERS.delete(ctx, transfer_id)
    parties, also = (row.from_id, row.to_id), (f"agreement:{row.agreement_id}",)
    ctx.emit(TransferEnded(deed=_deed(transfer_id), parties=parties, also=also, transfer_id=transfer_id, end=end))


def sign_transfer(ctx: Context, message: SignTransfer) -> SignReply:
    """Take over: energy, position and collateral move to a new agreement, and the price difference is paid at once.

    Refuses: 2003, 3001-3003, 4001-4003, 5011, 8001-8005, 9013, 9025, 9026, 9061, 9062. Emits: AgreementBorn, AgreementTransferred,
    TransferConcluded.
    """
    transfer_id = message.transfer_id
    row = _transfer(ctx, transfer_id)
    if ctx.sender_id != row.to_id:
        raise TRANSFER_OF_OTHERS("transfer_id", transfer_id)
    identity.require_good(ctx, row.from_id)
    terms = _child(ctx, row)
    terms_hash, worth_fen, difference_fen = agreements.hash_of(terms), _value_fen(row), _difference_fen(row, terms)
    if message.terms_hash != terms_hash:
        raise TERMS_DIFFER("terms_hash", message.terms_hash.hex(), terms_hash.hex())
    if message.value_fen != worth_fen:
        raise VALUE_DIFFERS("value_fen", message.value_fen, worth_fen)
    side = Side.SELL if terms.seller_id == row.to_id else Side.BUY
    _check_room(ctx, row, side, terms)
    exposure.check_line(ctx, row.to_id, side, terms.lines)
    parent_fen = exposure.open_fen(ctx, row.agreement_id, agreements.terms(ctx, row.agreement_id))
    counterparty_id = _counterparty(terms, row)
    moved_fen = {member_id: _share_fen(ctx, member_id, row) for member_id in (row.from_id, counterparty_id)}
    collateral.stand(ctx, row.to_id, _deed(transfer_id), moved_fen[row.from_id])
    _free(ctx, row, moved_fen)
    _pay(ctx, transfer_id, row, difference_fen)
    # no refusal below this line
    TRANSFERS.delete(ctx, transfer_id)
    child_id = agreements.transfer(
        ctx,
        row.agreement_id,
        row.from_id,
        row.to_id,
        row.first_day,
        row.quantities_kwh,
        row.price_myuan_mwh,
        also=(_deed(transfer_id),),
    )
    exposure.give_back(ctx, row.agreement_id, parent_fen)
    exposure.take_on(ctx, child_id)
    collateral.set_reserved(ctx, row.to_id, _deed(transfer_id), 0)
    collateral.reserve_for_agreement(ctx, row.to_id, child_id, moved_fen[row.from_id])
    collateral.reserve_for_agreement(ctx, counterparty_id, child_id, moved_fen[counterparty_id])
    ctx.emit(
        TransferConcluded(
            deed=_deed(transfer_id),
            parties=(row.from_id, row.to_id, counterparty_id),
            also=(f"agreement:{row.agreement_id}", f"agreement:{child_id}"),
            leads_to=f"agreement:{child_id}",
            transfer_id=transfer_id,
            agreement_id=row.agreement_id,
            child_id=child_id,
            from_id=row.from_id,
            to_id=row.to_id,
            counterparty_id=counterparty_id,
            difference_fen=difference_fen,
        )
    )
    return SignReply(child_id, collateral.free_fen(ctx, row.to_id))


def _check_room(ctx: BlockContext, row: Transfer, side: Side, terms: Terms) -> None:
    wanted_kwh: dict[int, int] = {}
    for line in terms.lines:
        wanted_kwh[line.segment] = wanted_kwh.get(line.segment, 0) + line.quantity_kwh
    rules = numbers.of_product(ctx, terms.product)
    positions.check_room(ctx, rules, row.to_id, side, (terms.first_day, terms.last_day), wanted_kwh)


def _share_fen(at: HasStore, member_id: int, row: Transfer) -> int:
    """What of a side's collateral goes with the moved energy: by its share of the open quantity, all where all is moved."""
    open_kwh = sum(agreements.open_kwh(at, row.agreement_id))
    reserved_fen = collateral.agreement_fen(at, member_id, row.agreement_id)
    return round_half_away(reserved_fen * sum(row.quantities_kwh), open_kwh)


def _free(ctx: BlockContext, row: Transfer, moved_fen: dict[int, int]) -> None:
    for member_id, amount_fen in moved_fen.items():
        left_fen = collateral.agreement_fen(ctx, member_id, row.agreement_id) - amount_fen
        collateral.reserve_for_agreement(ctx, member_id, row.agreement_id, left_fen)


def _pay(ctx: BlockContext, transfer_id: int, row: Transfer, difference_fen: int) -> None:
    """The price difference goes from the receiver to the sender, or back where it is negative. Refuses: 4001-4003."""
    if difference_fen == 0:
        return
    payer_id, payee_id = (row.to_id, row.from_id) if difference_fen > 0 else (row.from_id, row.to_id)
    order = FundsTransfer(
        derived_id(_deed(transfer_id)),
        funds.account_of(ctx, payer_id),
        funds.account_of(ctx, payee_id),
        abs(difference_fen),
        TRANSFER_CODE,
        _deed(transfer_id),
    )
    funds.transfer(ctx, [order])


def expire_transfers(ctx: BlockContext) -> None:
    """Block hook: proposed transfers whose time has passed end. Emits: TransferEnded."""
    for key, row in TRANSFERS.due(ctx, "by_expiry", ctx.market_ms):
        _end(ctx, int(key[0]), row, TransferEnd.EXPIRED)
