"""The end of a certificate: retired by its holder as proof of use, or expired."""

from shudian.contracts.certificates.messages import CertificateRetirementReply, LotState, RetireCertificates
from shudian.contracts.certificates.messages_events import CertificatesExpired, CertificatesRetired
from shudian.contracts.certificates.rules_lots import Place, carve, change, require_free
from shudian.contracts.certificates.state import LISTINGS, LOTS, RETIREMENTS, Retirement
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.tables import next_id


def retire_certificates(ctx: Context, message: RetireCertificates) -> CertificateRetirementReply:
    """Retire certificates. Refuses: 11008-11013. Emits: CertificatesRetired."""
    first_serial_no, count_certs = message.first_serial_no, message.count_certs
    place, lot = require_free(ctx, message.resource_id, message.month, first_serial_no, count_certs)
    # no refusal below this line
    retirement_id = next_id(ctx, "certificates.retirement")
    changes = {"state": LotState.RETIRED, "retirement_id": retirement_id}
    pieces = carve(ctx, place, lot, first_serial_no, count_certs, **changes)
    row = Retirement(
        resource_id=place.resource_id,
        month=place.month,
        first_serial_no=first_serial_no,
        count_certs=count_certs,
        holder_id=ctx.sender_id,
        beneficiary=message.beneficiary,
        purpose=message.purpose,
        first_month=message.first_month,
        last_month=message.last_month,
        retired_ms=ctx.market_ms,
    )
    RETIREMENTS.put(ctx, (retirement_id,), row)
    ctx.emit(
        CertificatesRetired(
            deed=f"retirement:{retirement_id}",
            parties=(),
            also=(place.deed,),
            retirement_id=retirement_id,
            resource_id=place.resource_id,
            month=place.month,
            first_serial_no=first_serial_no,
            count_certs=count_certs,
            holder_id=ctx.sender_id,
            beneficiary=message.beneficiary,
            purpose=message.purpose,
            first_month=message.first_month,
            last_month=message.last_month,
            pieces=pieces,
        )
    )
    return CertificateRetirementReply(retirement_id)


def expire_certificates(ctx: BlockContext) -> None:
    """Block hook: what is neither used nor retired on the day after its last day has expired, listings end. Emits: CertificatesExpired."""
    for key, lot in LOTS.due(ctx, "by_expiry", clock.day_after(clock.day_of(ctx.market_ms), -1)):
        place = Place.of(key)
        if lot.listing_id:
            LISTINGS.delete(ctx, lot.listing_id)
        pieces = change(ctx, place, lot, state=LotState.EXPIRED, listing_id=0)
        ctx.emit(
            CertificatesExpired(
                deed=place.deed,
                parties=(lot.holder_id,),
                resource_id=place.resource_id,
                month=place.month,
                count_certs=lot.count_certs,
                listing_id=lot.listing_id,
                pieces=pieces,
            )
        )
