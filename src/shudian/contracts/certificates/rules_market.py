"""Sale of certificates: listed for anybody or for one buyer, taken against money in one message, once in a certificate's life."""

from shudian.contracts.certificates.messages import (
    BuyCertificates,
    CertificateListingReply,
    CertificatePurchaseReply,
    ListCertificates,
    LotState,
    WithdrawCertificates,
)
from shudian.contracts.certificates.messages_events import (
    CertificatesListed,
    CertificatesTransferred,
    CertificatesWithdrawn,
)
from shudian.contracts.certificates.messages_refusals import (
    CERTIFICATES_EXPIRED,
    LISTING_FOR_ANOTHER,
    LISTING_IS_OWN,
    LISTING_OF_ANOTHER,
    LISTING_TOO_SMALL,
    LISTING_UNKNOWN,
    NOT_TRADABLE,
    TRANSFERRED_ALREADY,
)
from shudian.contracts.certificates.rules_lots import Place, carve, change, require_free
from shudian.contracts.certificates.rules_provenance import hours
from shudian.contracts.certificates.state import LISTINGS, LOTS, Listing
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Transfer
from shudian.contracts.identity import rules as identity
from shudian.contracts.roles import TRADING_KINDS
from shudian.kernel import clock
from shudian.kernel.contract import Context
from shudian.kernel.ids import derived_id
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, next_id

SALE_CODE = 1_101
"""Transfer code of a sale."""


def list_certificates(ctx: Context, message: ListCertificates) -> CertificateListingReply:
    """Offer certificates. Refuses: 3001, 3004, 11008-11015, 11019. Emits: CertificatesListed."""
    first_serial_no, count_certs = message.first_serial_no, message.count_certs
    place, lot = require_free(ctx, message.resource_id, message.month, first_serial_no, count_certs)
    if not lot.tradable:
        raise NOT_TRADABLE("first_serial_no", first_serial_no)
    if lot.transferred:
        raise TRANSFERRED_ALREADY("first_serial_no", first_serial_no)
    if message.buyer_id:
        identity.require_kind(ctx, message.buyer_id, TRADING_KINDS)
    if message.buyer_id == ctx.sender_id:
        raise LISTING_IS_OWN("buyer_id", message.buyer_id)
    # no refusal below this line
    listing_id = next_id(ctx, "certificates.listing")
    row = Listing(place.resource_id, place.month, first_serial_no, ctx.sender_id, message.price_fen, message.buyer_id)
    LISTINGS.put(ctx, (listing_id,), row)
    pieces = carve(ctx, place, lot, first_serial_no, count_certs, state=LotState.LISTED, listing_id=listing_id)
    ctx.emit(
        CertificatesListed(
            deed=listing_deed(listing_id),
            parties=(ctx.sender_id, message.buyer_id) if message.buyer_id else (ctx.sender_id,),
            also=(place.deed,),
            listing_id=listing_id,
            resource_id=place.resource_id,
            month=place.month,
            first_serial_no=first_serial_no,
            count_certs=count_certs,
            price_fen=message.price_fen,
            seller_id=ctx.sender_id,
            buyer_id=message.buyer_id,
            valid_to_day=lot.valid_to_day,
            pieces=pieces,
        )
    )
    return CertificateListingReply(listing_id)


def buy_certificates(ctx: Context, message: BuyCertificates) -> CertificatePurchaseReply:
    """Buy of a listing, delivery against payment. Refuses: 3001-3003, 4001-4003, 4008, 11011, 11016, 11018-11020.

    Emits: FundsTransferred, CertificatesTransferred.
    """
    listing_id, count_certs = message.listing_id, message.count_certs
    listing = _listing(ctx, listing_id)
    if listing.seller_id == ctx.sender_id:
        raise LISTING_IS_OWN("listing_id", listing_id)
    if listing.buyer_id not in (0, ctx.sender_id):
        raise LISTING_FOR_ANOTHER("listing_id", listing_id)
    identity.require_good(ctx, listing.seller_id)
    place = Place(listing.resource_id, listing.month, listing.first_serial_no)
    lot = LOTS.need(ctx, place.resource_id, place.month, place.first_serial_no)
    # the block hook that ends expired listings runs after the messages of the day's first block
    if lot.valid_to_day < clock.day_of(ctx.market_ms):
        raise CERTIFICATES_EXPIRED(
            "listing_id", listing_id, both(f"有效期至 {lot.valid_to_day}", f"valid to {lot.valid_to_day}")
        )
    if count_certs > lot.count_certs:
        raise LISTING_TOO_SMALL("count_certs", count_certs, f"<= {lot.count_certs}")
    transfer_id, paid_fen = next_id(ctx, "certificates.transfer"), count_certs * listing.price_fen
    accounts = (funds.account_of(ctx, ctx.sender_id), funds.account_of(ctx, listing.seller_id))
    order_id = derived_id("certificates.transfer", str(transfer_id))
    funds.transfer(ctx, (Transfer(order_id, *accounts, paid_fen, SALE_CODE, listing_deed(listing_id)),))
    # no refusal below this line
    changes = {"holder_id": ctx.sender_id, "state": LotState.HELD, "transferred": True, "listing_id": 0}
    pieces = carve(ctx, place, lot, place.first_serial_no, count_certs, **changes)
    left_certs = lot.count_certs - count_certs
    if left_certs:
        rest = Listing(
            place.resource_id,
            place.month,
            place.first_serial_no + count_certs,
            listing.seller_id,
            listing.price_fen,
            listing.buyer_id,
        )
        LISTINGS.put(ctx, (listing_id,), rest)
    else:
        LISTINGS.delete(ctx, listing_id)
    ctx.emit(
        CertificatesTransferred(
            deed=listing_deed(listing_id),
            parties=(listing.seller_id, ctx.sender_id),
            also=(place.deed,),
            transfer_id=transfer_id,
            resource_id=place.resource_id,
            month=place.month,
            first_serial_no=place.first_serial_no,
            count_certs=count_certs,
            seller_id=listing.seller_id,
            buyer_id=ctx.sender_id,
            listing_id=listing_id,
            agreement_id=0,
            price_fen=listing.price_fen,
            paid_fen=paid_fen,
            left_certs=left_certs,
            pieces=pieces,
            hours=hours(ctx, place.resource_id, place.month, place.first_serial_no, count_certs),
        )
    )
    return CertificatePurchaseReply(
        place.resource_id, place.month, place.first_serial_no, count_certs, paid_fen, left_certs
    )


def withdraw_certificates(ctx: Context, message: WithdrawCertificates) -> None:
    """Take a listing back. Refuses: 11016, 11017. Emits: CertificatesWithdrawn."""
    listing = _listing(ctx, message.listing_id)
    if listing.seller_id != ctx.sender_id:
        raise LISTING_OF_ANOTHER("listing_id", message.listing_id)
    # no refusal below this line
    place = Place(listing.resource_id, listing.month, listing.first_serial_no)
    lot = LOTS.need(ctx, place.resource_id, place.month, place.first_serial_no)
    LISTINGS.delete(ctx, message.listing_id)
    pieces = change(ctx, place, lot, state=LotState.HELD, listing_id=0)
    ctx.emit(
        CertificatesWithdrawn(
            deed=listing_deed(message.listing_id),
            parties=(ctx.sender_id, listing.buyer_id) if listing.buyer_id else (ctx.sender_id,),
            also=(place.deed,),
            listing_id=message.listing_id,
            resource_id=place.resource_id,
            month=place.month,
            pieces=pieces,
        )
    )


def _listing(at: HasStore, listing_id: int) -> Listing:
    row = LISTINGS.get(at, listing_id)
    if row is None:
        raise LISTING_UNKNOWN("listing_id", listing_id)
    return row


def listing_deed(listing_id: int) -> str:
    """The deed of a listing of certificates."""
    return f"certificate-listing:{listing_id}"
