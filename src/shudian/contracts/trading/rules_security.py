"""Security check 安全校核 (domain 3.4): the dispatcher passes signed terms or cuts them together; what is left becomes agreements."""

from collections.abc import Mapping

from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Terms
from shudian.contracts.identity import rules as identity
from shudian.contracts.trading import rules_collateral as collateral
from shudian.contracts.trading import rules_exposure as exposure
from shudian.contracts.trading import rules_numbers as numbers
from shudian.contracts.trading.messages import Side
from shudian.contracts.trading.messages_negotiations import (
    ALL,
    NOT_SIGNED_BY_BOTH,
    CutRule,
    NegotiationConcluded,
    NegotiationEnd,
    ReviewSecurity,
    SecurityReviewed,
)
from shudian.contracts.trading.rules_negotiations import deed_of, end, free_collateral, negotiation, parties_of
from shudian.contracts.trading.state import NEGOTIATIONS, Negotiation
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.units import split_largest_remainder


def review_security(ctx: Context, message: ReviewSecurity) -> None:
    """Pass signed terms, or share a limit among them; each becomes an agreement of what it was left, if anything.

    Refuses: 3001-3003, 9021, 9031. Emits: SecurityReviewed, then AgreementBorn and NegotiationConcluded, or NegotiationEnded.
    """
    rows: dict[int, Negotiation] = {}
    for negotiation_id in message.negotiation_ids:
        row = negotiation(ctx, negotiation_id)
        if not row.is_signed:
            raise NOT_SIGNED_BY_BOTH("negotiation_ids", negotiation_id)
        for member_id in parties_of(row):
            identity.require_good(ctx, member_id)
        rows[negotiation_id] = row
    allowed_kwh = _allowed_kwh(rows, message)
    # no refusal below this line
    for negotiation_id, row in rows.items():
        _conclude(ctx, negotiation_id, row, allowed_kwh[negotiation_id], message)


def _signed_kwh(row: Negotiation) -> int:
    return sum(line.quantity_kwh for line in row.terms.lines)


def _allowed_kwh(rows: Mapping[int, Negotiation], message: ReviewSecurity) -> dict[int, int]:
    """What each may deliver of the limit, earlier second signatures first."""
    order = sorted(rows, key=lambda no: (max(rows[no].seller_signed_ms, rows[no].buyer_signed_ms), no))
    signed_kwh = [_signed_kwh(rows[negotiation_id]) for negotiation_id in order]
    if message.allowed_kwh == ALL or message.allowed_kwh >= sum(signed_kwh):
        return dict(zip(order, signed_kwh, strict=True))
    if message.cut_rule is CutRule.PRO_RATA:
        return dict(zip(order, split_largest_remainder(message.allowed_kwh, signed_kwh), strict=True))
    allowed, left_kwh = {}, message.allowed_kwh
    for negotiation_id, wanted_kwh in zip(order, signed_kwh, strict=True):
        allowed[negotiation_id] = min(wanted_kwh, left_kwh)
        left_kwh -= allowed[negotiation_id]
    return allowed


def _conclude(
    ctx: BlockContext, negotiation_id: int, row: Negotiation, allowed_kwh: int, message: ReviewSecurity
) -> None:
    deed = deed_of(negotiation_id)
    ctx.emit(
        SecurityReviewed(
            deed=deed,
            parties=parties_of(row),
            negotiation_id=negotiation_id,
            signed_kwh=_signed_kwh(row),
            allowed_kwh=allowed_kwh,
            cut_rule=message.cut_rule,
            reason=message.reason,
        )
    )
    if allowed_kwh == 0:
        end(ctx, negotiation_id, row, NegotiationEnd.NOT_SECURE)
        return
    terms = _cut(row.terms, allowed_kwh)
    NEGOTIATIONS.delete(ctx, negotiation_id)
    reserved_fen = {
        member_id: collateral.reserved_fen(ctx, member_id, deed) for member_id in (row.seller_id, row.buyer_id)
    }
    free_collateral(ctx, negotiation_id, row)
    agreement_id = agreements.bear(ctx, terms, also=(deed,))
    exposure.take_on(ctx, agreement_id)
    rules = numbers.of_product(ctx, terms.product)
    for member_id, side in ((row.seller_id, Side.SELL), (row.buyer_id, Side.BUY)):
        # The numbers may have risen since the signature; nobody is asked for more than was reserved then.
        needed_fen = min(collateral.terms_fen(rules, side, terms), reserved_fen[member_id])
        collateral.reserve_for_agreement(ctx, member_id, agreement_id, needed_fen)
    ctx.emit(
        NegotiationConcluded(
            deed=deed,
            parties=parties_of(row),
            also=(f"agreement:{agreement_id}",),
            leads_to=f"agreement:{agreement_id}",
            negotiation_id=negotiation_id,
            agreement_id=agreement_id,
        )
    )


def _cut(terms: Terms, allowed_kwh: int) -> Terms:
    """Terms with their lines cut pro rata to what is allowed; lines of which nothing is left are gone."""
    parts_kwh = split_largest_remainder(allowed_kwh, [line.quantity_kwh for line in terms.lines])
    lines = zip(terms.lines, parts_kwh, strict=True)
    return replace(terms, lines=tuple(replace(line, quantity_kwh=part_kwh) for line, part_kwh in lines if part_kwh))
