"""Certificates of green agreements 证电合一: kept when issued, moved to the buyer by what settlement certified, the rest released."""

from collections.abc import Iterator

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import GreenTerms
from shudian.contracts.certificates.messages import CertificateDeliveryReply, DeliverCertificates, Lot, LotState
from shudian.contracts.certificates.messages_events import (
    BundleReleased,
    CertificatesBundled,
    CertificatesTransferred,
    GreenMonthDelivered,
)
from shudian.contracts.certificates.messages_refusals import (
    AGREEMENT_NOT_GREEN,
    MONTH_OUT_OF_ORDER,
    NOTHING_DUE,
    NOTHING_ISSUED,
    STATEMENT_NOT_ISSUED,
)
from shudian.contracts.certificates.rules_lots import Place, carve, change
from shudian.contracts.certificates.rules_provenance import hours
from shudian.contracts.certificates.state import DELIVERIES, KWH_PER_CERTIFICATE, LOTS, Delivery
from shudian.contracts.resources import rules as resources
from shudian.contracts.settlement import rules as settlement
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, next_id
from shudian.kernel.units import ceil_div, floor_div


def bundle(ctx: BlockContext, resource_id: int, month: int, owner_id: int) -> None:
    """Keep freshly issued certificates for the owner's green agreements of that month, the oldest first. Emits: CertificatesBundled."""
    for agreement_id, green in _green_agreements(ctx, owner_id, month):
        wanted_certs = _wanted_certs(ctx, agreement_id, month)
        for place, lot in _free_lots(ctx, owner_id, month, green):
            count_certs = min(wanted_certs, lot.count_certs)
            if place.resource_id != resource_id or not count_certs:
                continue
            pieces = carve(
                ctx,
                place,
                lot,
                place.first_serial_no,
                count_certs,
                state=LotState.BUNDLED,
                agreement_id=agreement_id,
            )
            wanted_certs -= count_certs
            ctx.emit(
                CertificatesBundled(
                    deed=place.deed,
                    parties=(owner_id,),
                    also=(_agreement_deed(agreement_id),),
                    resource_id=place.resource_id,
                    month=month,
                    agreement_id=agreement_id,
                    count_certs=count_certs,
                    pieces=pieces,
                )
            )


def _green_agreements(at: HasStore, seller_id: int, month: int) -> Iterator[tuple[int, GreenTerms]]:
    """Green agreements in which a member sells in a month, by id; paid ones are found by the lines of the month."""
    found = [line.agreement_id for _, line in settlement.lines_of(at, seller_id, month)]
    for day in clock.days(clock.month_first_day(month), clock.month_last_day(month)):
        found.extend(agreements.agreements_of(at, seller_id, day))
    for agreement_id in sorted(dict.fromkeys(found)):
        green = agreements.green_of(at, agreement_id) if agreement_id else None
        if green is not None and agreements.agreement(at, agreement_id).seller_id == seller_id:
            yield agreement_id, green


def _wanted_certs(at: HasStore, agreement_id: int, month: int) -> int:
    """What is still to be kept for an agreement: what is due, or before settlement all that the contract could take."""
    delivery = DELIVERIES.get(at, agreement_id, month)
    if delivery is not None:
        most_certs = delivery.due_certs - delivery.delivered_certs
    else:
        days = clock.days(clock.month_first_day(month), clock.month_last_day(month))
        contract_kwh = sum(sum(agreements.day_lines_kwh(at, agreement_id, day)) for day in days)
        most_certs = ceil_div(contract_kwh, KWH_PER_CERTIFICATE)
    kept_certs = sum(lot.count_certs for _, lot in _bundled_lots(at, agreement_id, month))
    return max(0, most_certs - kept_certs)


def _bundled_lots(at: HasStore, agreement_id: int, month: int) -> list[tuple[Place, Lot]]:
    return [(Place.of(key), lot) for key, lot in LOTS.find(at, "by_agreement", agreement_id, month)]


def _free_lots(at: BlockContext, seller_id: int, month: int, green: GreenTerms) -> list[tuple[Place, Lot]]:
    """Lots of a month that a seller could deliver under green terms, in key order."""
    found = [(Place.of(key), lot) for key, lot in LOTS.find(at, "by_holder", seller_id)]
    today = clock.day_of(at.market_ms)
    return [
        (place, lot)
        for place, lot in found
        if place.month == month
        and lot.tradable
        and not lot.transferred
        and lot.valid_to_day >= today
        and _comes_from(at, place.resource_id, green)
    ]


def _comes_from(at: HasStore, resource_id: int, green: GreenTerms) -> bool:
    """Whether a device is the one that green terms name, or a unit of it; terms that name none take any."""
    return green.resource_id in (0, resource_id, resources.resource(at, resource_id).parent_id)


def deliver_certificates(ctx: Context, message: DeliverCertificates) -> CertificateDeliveryReply:
    """Move what is due of a green agreement's month. Refuses: 8001, 11005, 11021-11024.

    Emits: CertificatesTransferred per lot, BundleReleased per lot that is not needed, GreenMonthDelivered.
    """
    agreement_id, month = message.agreement_id, message.month
    agreement = agreements.agreement(ctx, agreement_id)
    green = agreements.green_of(ctx, agreement_id)
    if green is None:
        raise AGREEMENT_NOT_GREEN("agreement_id", agreement_id)
    if settlement.statement_of(ctx, agreement.buyer_id, month) is None:
        raise STATEMENT_NOT_ISSUED(
            "month", month, both(f"成员 {agreement.buyer_id} 的结算单", f"a statement of member {agreement.buyer_id}")
        )
    before = DELIVERIES.get(ctx, agreement_id, month)
    now = _due(ctx, agreement_id, month, before)
    due_certs = max(0, now.due_certs - now.delivered_certs)
    if before is not None and not due_certs:
        raise NOTHING_DUE("agreement_id", agreement_id)
    bundled = _bundled_lots(ctx, agreement_id, month)
    lots = [*bundled, *_free_lots(ctx, agreement.seller_id, month, green)]
    moved_certs = min(due_certs, sum(lot.count_certs for _, lot in lots))
    if due_certs and not moved_certs:
        raise NOTHING_ISSUED(
            "month",
            month,
            both(
                f"成员 {agreement.seller_id} 的可交易绿证 {due_certs} 张",
                f"{due_certs} tradable certificates of member {agreement.seller_id}",
            ),
        )
    # no refusal below this line
    left_certs = moved_certs
    for place, lot in lots:
        count_certs = min(left_certs, lot.count_certs)
        if count_certs:
            _move(ctx, agreement_id, agreement.buyer_id, place, lot, count_certs)
        left_certs -= count_certs
    if moved_certs == due_certs:
        _release(ctx, agreement_id, month)
    row = Delivery(
        now.certified_kwh, now.carry_in_kwh, now.due_certs, now.delivered_certs + moved_certs, now.carry_out_kwh
    )
    DELIVERIES.put(ctx, (agreement_id, month), row)
    ctx.emit(
        GreenMonthDelivered(
            deed=_agreement_deed(agreement_id),
            parties=(agreement.seller_id, agreement.buyer_id),
            agreement_id=agreement_id,
            month=month,
            seller_id=agreement.seller_id,
            buyer_id=agreement.buyer_id,
            certified_kwh=row.certified_kwh,
            carry_in_kwh=row.carry_in_kwh,
            due_certs=row.due_certs,
            delivered_certs=row.delivered_certs,
            carry_out_kwh=row.carry_out_kwh,
        )
    )
    return CertificateDeliveryReply(moved_certs, due_certs - moved_certs)


def _due(at: HasStore, agreement_id: int, month: int, before: Delivery | None) -> Delivery:
    """What the month's certified volume makes due: whole MWh of it and of what the month before left. Refuses: 11005."""
    rows = [(int(key[1]), row) for key, row in DELIVERIES.range(at, agreement_id)]
    if rows and rows[-1][0] > month:
        raise MONTH_OUT_OF_ORDER("month", month, f">= {rows[-1][0]}")
    carry_in_kwh, delivered_certs = (before.carry_in_kwh, before.delivered_certs) if before is not None else (0, 0)
    if before is None and rows:
        carry_in_kwh = rows[-1][1].carry_out_kwh
    certified_kwh = settlement.certified_kwh(at, agreement_id, month)
    energy_kwh = certified_kwh + carry_in_kwh
    due_certs = max(0, floor_div(energy_kwh, KWH_PER_CERTIFICATE))
    carry_out_kwh = energy_kwh - max(due_certs, delivered_certs) * KWH_PER_CERTIFICATE
    return Delivery(certified_kwh, carry_in_kwh, due_certs, delivered_certs, carry_out_kwh)


def _move(ctx: BlockContext, agreement_id: int, buyer_id: int, place: Place, lot: Lot, count_certs: int) -> None:
    changes = {"holder_id": buyer_id, "state": LotState.HELD, "transferred": True, "agreement_id": agreement_id}
    pieces = carve(ctx, place, lot, place.first_serial_no, count_certs, **changes)
    ctx.emit(
        CertificatesTransferred(
            deed=place.deed,
            parties=(lot.holder_id, buyer_id),
            also=(_agreement_deed(agreement_id),),
            transfer_id=next_id(ctx, "certificates.transfer"),
            resource_id=place.resource_id,
            month=place.month,
            first_serial_no=place.first_serial_no,
            count_certs=count_certs,
            seller_id=lot.holder_id,
            buyer_id=buyer_id,
            listing_id=0,
            agreement_id=agreement_id,
            price_fen=0,
            paid_fen=0,
            left_certs=0,
            pieces=pieces,
            hours=hours(ctx, place.resource_id, place.month, place.first_serial_no, count_certs),
        )
    )


def _release(ctx: BlockContext, agreement_id: int, month: int) -> None:
    for place, lot in _bundled_lots(ctx, agreement_id, month):
        pieces = change(ctx, place, lot, state=LotState.HELD, agreement_id=0)
        ctx.emit(
            BundleReleased(
                deed=place.deed,
                parties=(lot.holder_id,),
                also=(_agreement_deed(agreement_id),),
                resource_id=place.resource_id,
                month=month,
                agreement_id=agreement_id,
                count_certs=lot.count_certs,
                pieces=pieces,
            )
        )


def _agreement_deed(agreement_id: int) -> str:
    return f"agreement:{agreement_id}"
