"""Bilateral negotiation 双边协商 (domain 3.4): offer, counter-offer, withdrawal, expiry, and both signatures under the exact terms."""

from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import TERMS_VERSION, GreenTerms, Line, Method, Terms
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.resources import rules as resources
from shudian.contracts.resources.messages import Fuel, Resource, ResourceState
from shudian.contracts.trading import rules_collateral as collateral
from shudian.contracts.trading import rules_exposure as exposure
from shudian.contracts.trading import rules_numbers as numbers
from shudian.contracts.trading import rules_positions as positions
from shudian.contracts.trading.messages import Side
from shudian.contracts.trading.messages_negotiations import (
    ALREADY_SIGNED,
    BOTH_HAVE_SIGNED,
    COUNTERPARTY_DOES_NOT_FIT,
    COUNTERPARTY_MISSING,
    EXPIRY_DOES_NOT_FIT,
    GREEN_SOURCE_MISSING,
    NEGOTIATION_OF_OTHERS,
    NEGOTIATION_UNKNOWN,
    OPEN_TO_ALL,
    TERMS_DIFFER,
    VALUE_DIFFERS,
    CounterTerms,
    NegotiationEnd,
    NegotiationEnded,
    NegotiationReply,
    OfferTerms,
    Proposal,
    SignReply,
    SignTerms,
    TermsOffered,
    TermsSigned,
    WithdrawTerms,
)
from shudian.contracts.trading.state import NEGOTIATIONS, OTHER_SIDE, Negotiation
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.tables import HasStore, next_id
from shudian.kernel.units import SEGMENTS_PER_DAY, SLOTS_PER_DAY, SLOTS_PER_SEGMENT, energy_fen

RENEWABLE = (Fuel.HYDRO, Fuel.WIND, Fuel.SOLAR, Fuel.BIOMASS, Fuel.GEOTHERMAL)
"""Fuels whose generation can be green (可再生能源法 art. 2)."""


def deed_of(negotiation_id: int) -> str:
    """The deed under which everything about a negotiation is told."""
    return f"negotiation:{negotiation_id}"


def parties_of(row: Negotiation) -> tuple[int, ...]:
    """The sides that are known."""
    return tuple(member_id for member_id in (row.seller_id, row.buyer_id) if member_id)


def negotiation(at: HasStore, negotiation_id: int) -> Negotiation:
    """A negotiation in progress. Refuses: 9021."""
    row = NEGOTIATIONS.get(at, negotiation_id)
    if row is None:
        raise NEGOTIATION_UNKNOWN("negotiation_id", negotiation_id)
    return row


def value_fen(terms: Terms) -> int:
    """Energy and, at full volume, environmental value of terms, in fen; each product rounded half away from zero."""
    total_fen = sum(energy_fen(line.quantity_kwh, line.price_myuan_mwh) for line in terms.lines)
    if terms.green is None:
        return total_fen
    return total_fen + energy_fen(sum(line.quantity_kwh for line in terms.lines), terms.green.environmental_myuan_mwh)


def offer_terms(ctx: Context, message: OfferTerms) -> NegotiationReply:
    """Open a negotiation. Refuses: 2003, 3001-3003, 9005, 9007, 9009, 9024, 9029. Emits: TermsOffered."""
    positions.check_side(ctx, ctx.sender_id, message.side)
    if message.counterparty_id != OPEN_TO_ALL:
        identity.require_good(ctx, message.counterparty_id)
        _check_counterparty(ctx, message.counterparty_id, OTHER_SIDE[message.side])
    sides = (ctx.sender_id, message.counterparty_id)
    seller_id, buyer_id = sides if message.side is Side.SELL else sides[::-1]
    row = _version(ctx, seller_id, buyer_id, 1, message.proposal, message.expires_ms)
    # no refusal below this line
    return _lay(ctx, next_id(ctx, "trading.negotiation"), row)


def _check_counterparty(ctx: BlockContext, member_id: int, side: Side) -> None:
    if identity.member(ctx, member_id).kind not in positions.KINDS[side]:
        raise COUNTERPARTY_DOES_NOT_FIT("counterparty_id", member_id, " | ".join(positions.KINDS[side]))


def _version(
    ctx: Context, seller_id: int, buyer_id: int, version_no: int, proposal: Proposal, expires_ms: int
) -> Negotiation:
    """A version of terms by the sender, unsigned. Refuses: 2003, 9005, 9009, 9029."""
    delivery_ms = clock.ms_at(proposal.first_day)
    if not ctx.market_ms < expires_ms <= delivery_ms:
        raise EXPIRY_DOES_NOT_FIT("expires_ms", expires_ms, f"{ctx.market_ms + 1}..{delivery_ms}")
    numbers.check_period(ctx, proposal.product, proposal.first_day, proposal.last_day)
    rules = numbers.of_product(ctx, proposal.product)
    for price_myuan_mwh in proposal.prices_myuan_mwh:
        numbers.check_band(rules, price_myuan_mwh)
    terms = _terms(ctx, proposal, seller_id, buyer_id)
    return Negotiation(ctx.sender_id, seller_id, buyer_id, version_no, terms, expires_ms, 0, 0)


def _terms(ctx: BlockContext, proposal: Proposal, seller_id: int, buyer_id: int) -> Terms:
    curve_kwh = proposal.curve_kwh
    shape_kwh: tuple[int, ...] = ()
    if len(curve_kwh) == 1:
        today = clock.day_of(ctx.market_ms)
        parts = governance.setting_values(ctx, "trading.curve_parts_count", today, proposal.typical)
        curve_kwh = agreements.decompose(curve_kwh[0], [1], parts)[0]
    elif len(curve_kwh) == SLOTS_PER_DAY:
        shape_kwh = curve_kwh
        starts = range(0, SLOTS_PER_DAY, SLOTS_PER_SEGMENT)
        curve_kwh = tuple(sum(shape_kwh[start : start + SLOTS_PER_SEGMENT]) for start in starts)
    prices = proposal.prices_myuan_mwh
    if len(prices) == 1:
        prices *= SEGMENTS_PER_DAY
    return Terms(
        terms_version=TERMS_VERSION,
        seller_id=seller_id,
        buyer_id=buyer_id,
        method=Method.BILATERAL,
        session_id=0,
        product=proposal.product,
        first_day=proposal.first_day,
        last_day=proposal.last_day,
        settlement_point=proposal.settlement_point,
        lines=tuple(Line(segment, kwh, prices[segment]) for segment, kwh in enumerate(curve_kwh) if kwh),
        green=proposal.green,
        shape_kwh=shape_kwh,
    )


def _lay(ctx: BlockContext, negotiation_id: int, row: Negotiation) -> NegotiationReply:
    """Put a version on the table. Emits: TermsOffered."""
    NEGOTIATIONS.put(ctx, (negotiation_id,), row)
    terms_hash, worth_fen = agreements.hash_of(row.terms), value_fen(row.terms)
    ctx.emit(
        TermsOffered(
            deed=deed_of(negotiation_id),
            parties=parties_of(row),
            negotiation_id=negotiation_id,
            version_no=row.version_no,
            by_id=row.by_id,
            seller_id=row.seller_id,
            buyer_id=row.buyer_id,
            terms=row.terms,
            terms_hash=terms_hash,
            value_fen=worth_fen,
            expires_ms=row.expires_ms,
        )
    )
    return NegotiationReply(negotiation_id, row.version_no, terms_hash, worth_fen)


def counter_terms(ctx: Context, message: CounterTerms) -> NegotiationReply:
    """Answer with a new version; signatures and collateral of the last one are void.

    Refuses: 2003, 9005, 9009, 9021-9024, 9029. Emits: TermsOffered.
    """
    row = _joined(ctx, _unsigned(ctx, message.negotiation_id))
    version_no = row.version_no + 1
    after = _version(ctx, row.seller_id, row.buyer_id, version_no, message.proposal, message.expires_ms)
    # no refusal below this line
    free_collateral(ctx, message.negotiation_id, row)
    return _lay(ctx, message.negotiation_id, after)


def _unsigned(at: HasStore, negotiation_id: int) -> Negotiation:
    row = negotiation(at, negotiation_id)
    if row.is_signed:
        raise BOTH_HAVE_SIGNED("negotiation_id", negotiation_id)
    return row


def _joined(ctx: Context, row: Negotiation) -> Negotiation:
    """The negotiation as the sender sees it; a third member joins an open one on the side that is missing. Refuses: 9022, 9024."""
    if ctx.sender_id in parties_of(row):
        return row
    if len(parties_of(row)) > 1:
        raise NEGOTIATION_OF_OTHERS("sender_id", ctx.sender_id)
    _check_counterparty(ctx, ctx.sender_id, Side.SELL if row.seller_id == 0 else Side.BUY)
    seller_id, buyer_id = row.seller_id or ctx.sender_id, row.buyer_id or ctx.sender_id
    terms = replace(row.terms, seller_id=seller_id, buyer_id=buyer_id)
    return replace(row, seller_id=seller_id, buyer_id=buyer_id, terms=terms)


def free_collateral(ctx: BlockContext, negotiation_id: int, row: Negotiation) -> None:
    """Free what the sides have reserved by signing."""
    for member_id in parties_of(row):
        collateral.set_reserved(ctx, member_id, deed_of(negotiation_id), 0)


def withdraw_terms(ctx: Context, message: WithdrawTerms) -> None:
    """End a negotiation that not both have signed. Refuses: 9021-9023. Emits: NegotiationEnded."""
    row = _unsigned(ctx, message.negotiation_id)
    if ctx.sender_id not in parties_of(row):
        raise NEGOTIATION_OF_OTHERS("sender_id", ctx.sender_id)
    # no refusal below this line
    end(ctx, message.negotiation_id, row, NegotiationEnd.WITHDRAWN)


def end(ctx: BlockContext, negotiation_id: int, row: Negotiation, how: NegotiationEnd) -> None:
    """End a negotiation without an agreement and free its collateral. Emits: NegotiationEnded."""
    free_collateral(ctx, negotiation_id, row)
    NEGOTIATIONS.delete(ctx, negotiation_id)
    ctx.emit(
        NegotiationEnded(deed=deed_of(negotiation_id), parties=parties_of(row), negotiation_id=negotiation_id, end=how)
    )


def sign_terms(ctx: Context, message: SignTerms) -> SignReply:
    """Sign the current version: compliance 合规校核 of the signer, and of the other side's standing; collateral is reserved.

    The second signature makes the terms binding and waits for the security check; its time decides who comes first there.
    Refuses: 2003, 3001-3003, 4001-4003, 5011, 9013, 9021-9028, 9030. Emits: TermsSigned.
    """
    row = _joined(ctx, _unsigned(ctx, message.negotiation_id))
    if len(parties_of(row)) == 1:
        raise COUNTERPARTY_MISSING("negotiation_id", message.negotiation_id)
    terms = row.terms
    terms_hash, worth_fen = agreements.hash_of(terms), value_fen(terms)
    if message.terms_hash != terms_hash:
        raise TERMS_DIFFER("terms_hash", message.terms_hash.hex(), terms_hash.hex())
    if message.value_fen != worth_fen:
        raise VALUE_DIFFERS("value_fen", message.value_fen, worth_fen)
    sells = ctx.sender_id == row.seller_id
    if row.seller_signed_ms if sells else row.buyer_signed_ms:
        raise ALREADY_SIGNED("negotiation_id", message.negotiation_id)
    identity.require_good(ctx, row.buyer_id if sells else row.seller_id)
    side = Side.SELL if sells else Side.BUY
    rules = numbers.of_product(ctx, terms.product)
    wanted_kwh = {line.segment: line.quantity_kwh for line in terms.lines}
    period = (terms.first_day, terms.last_day)
    positions.check_room(ctx, rules, ctx.sender_id, side, period, wanted_kwh, message.negotiation_id)
    exposure.check_line(ctx, ctx.sender_id, side, terms.lines)
    if terms.green is not None:
        _check_source(ctx, row.seller_id, terms.green)
    needed_fen = collateral.terms_fen(rules, side, terms)
    free_fen = collateral.stand(ctx, ctx.sender_id, deed_of(message.negotiation_id), needed_fen)
    # no refusal below this line
    signed_ms = ctx.market_ms
    row = replace(row, seller_signed_ms=signed_ms) if sells else replace(row, buyer_signed_ms=signed_ms)
    if row.is_signed:
        row = replace(row, expires_ms=clock.ms_at(terms.first_day))
    NEGOTIATIONS.put(ctx, (message.negotiation_id,), row)
    ctx.emit(
        TermsSigned(
            deed=deed_of(message.negotiation_id),
            parties=parties_of(row),
            negotiation_id=message.negotiation_id,
            version_no=row.version_no,
            by_id=ctx.sender_id,
            seller_id=row.seller_id,
            buyer_id=row.buyer_id,
            terms_hash=terms_hash,
            is_second=row.is_signed,
        )
    )
    return SignReply(0, free_fen)


def _check_source(at: HasStore, seller_id: int, green: GreenTerms) -> None:
    """The seller has the renewable resource that the green terms name, or any if they name none. Refuses: 9030."""
    owned = dict(resources.resources_of(at, seller_id))
    named = list(owned) if green.resource_id == 0 else [green.resource_id]
    if not any(resource_id in owned and _is_source(owned[resource_id]) for resource_id in named):
        raise GREEN_SOURCE_MISSING("green.resource_id", green.resource_id, " | ".join(RENEWABLE))


def _is_source(row: Resource) -> bool:
    return row.state is ResourceState.ACTIVE and row.fuel in RENEWABLE


def is_renewable(at: HasStore, member_id: int) -> bool:
    """Whether all that a member can generate with is renewable, and there is something."""
    active = [row for _, row in resources.resources_of(at, member_id) if row.state is ResourceState.ACTIVE]
    fuels = [row.fuel for row in active if row.fuel is not Fuel.NONE]
    return bool(fuels) and all(fuel in RENEWABLE for fuel in fuels)


def expire_negotiations(ctx: BlockContext) -> None:
    """Block hook: negotiations whose time has passed end, signed ones as delivery begins unchecked. Emits: NegotiationEnded."""
    for key, row in NEGOTIATIONS.due(ctx, "by_expiry", ctx.market_ms):
        end(ctx, int(key[0]), row, NegotiationEnd.EXPIRED)
