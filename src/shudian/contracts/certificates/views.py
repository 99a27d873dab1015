"""What is told about certificates: projections of events, and the queries."""

from typing import Any

from shudian.contracts.certificates.messages import Hours, LotState, Piece
from shudian.contracts.certificates.messages_codes import CODE_COUNT, PROJECT_CODE_COUNT, certificate_code
from shudian.contracts.certificates.messages_events import (
    BundleReleased,
    CertificatesBundled,
    CertificatesExpired,
    CertificatesIssued,
    CertificatesListed,
    CertificatesRetired,
    CertificatesTransferred,
    CertificatesWithdrawn,
    GreenMonthDelivered,
    ProjectFiled,
)
from shudian.contracts.certificates.views_match import match, packed
from shudian.contracts.certificates.views_tables import (
    DELIVERIES,
    HOURS,
    ISSUANCES,
    LISTINGS,
    LOTS,
    OFFERS,
    PROJECTS,
    RETIREMENTS,
    TABLES,
    TRANSFERS,
)
from shudian.kernel import fields
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import At, Row, Views
from shudian.reading.writer import Writer

_CENTURY = 200_000
_DEVICE, _MONTH, _SERIAL, _NUMBERS = slice(11, 16), slice(17, 21), slice(21, 30), slice(17, 30)
"""Parts of a code (docs/certificates.md)."""


def project_filed(db: Writer, event: ProjectFiled, _at: At) -> None:
    """Show the card that holds."""
    project = event.project
    db.delete(PROJECTS, {"resource_id": event.resource_id})
    db.insert(
        PROJECTS,
        resource_id=event.resource_id,
        owner_id=project.owner_id,
        project_code=project.code,
        commissioning_day=project.commissioning_day,
        fully_in_market=project.fully_in_market,
    )


def certificates_issued(db: Writer, event: CertificatesIssued, at: At) -> None:
    """Add the device-month, its lot and its hours."""
    copied = {column.name: getattr(event, column.name) for column in ISSUANCES.columns if column.name != "issued_ms"}
    db.insert(ISSUANCES, **copied, issued_ms=at.market_ms)
    if event.count_certs:
        _put_lots(db, event)
        _add_hours(db, event, event.owner_id, 1, event.count_certs, event.hours)


def lots_changed(db: Writer, event: CertificatesBundled | BundleReleased, _at: At) -> None:
    """Show the lots as they stand."""
    _put_lots(db, event)


def _put_lots(db: Writer, event: Any) -> None:
    for piece in event.pieces:
        place = {"resource_id": event.resource_id, "month": event.month, "first_serial_no": piece.first_serial_no}
        lot = piece.lot
        db.delete(LOTS, place)
        db.insert(
            LOTS,
            **place,
            count_certs=lot.count_certs,
            holder_id=lot.holder_id,
            state=lot.state,
            tradable=lot.tradable,
            transferred=lot.transferred,
            valid_to_day=lot.valid_to_day,
            listing_id=lot.listing_id,
            agreement_id=lot.agreement_id,
            retirement_id=lot.retirement_id,
            **_codes(event.month, piece),
        )


def _codes(month: int, piece: Piece) -> dict[str, str]:
    lot = piece.lot
    ends = {"first_code": piece.first_serial_no, "last_code": piece.first_serial_no + lot.count_certs - 1}
    return {
        name: certificate_code(lot.project_code, month, serial_no, tradable=lot.tradable)
        for name, serial_no in ends.items()
    }


def _add_hours(db: Writer, event: Any, holder_id: int, first_serial_no: int, count_certs: int, hours: Hours) -> None:
    db.insert(
        HOURS,
        resource_id=event.resource_id,
        month=event.month,
        first_serial_no=first_serial_no,
        count_certs=count_certs,
        holder_id=holder_id,
        first_hour_no=hours.first_hour_no,
        before_wh=hours.before_wh,
        hours_wh=packed(hours.hours_wh),
    )


def certificates_listed(db: Writer, event: CertificatesListed, _at: At) -> None:
    """Show the listing to all members, or to its two sides if it names the buyer."""
    _put_lots(db, event)
    table = OFFERS if event.buyer_id else LISTINGS
    db.insert(table, **{column.name: getattr(event, column.name) for column in table.columns})


def certificates_withdrawn(db: Writer, event: CertificatesWithdrawn, _at: At) -> None:
    """Take the listing down."""
    _put_lots(db, event)
    _end_listing(db, event.listing_id)


def _end_listing(db: Writer, listing_id: int) -> None:
    for table in (LISTINGS, OFFERS):
        db.delete(table, {"listing_id": listing_id})


def certificates_transferred(db: Writer, event: CertificatesTransferred, at: At) -> None:
    """Move the lot, give its hours to the new holder, and shorten or take down the listing."""
    _put_lots(db, event)
    _add_hours(db, event, event.buyer_id, event.first_serial_no, event.count_certs, event.hours)
    copied = {
        column.name: getattr(event, column.name) for column in TRANSFERS.columns if column.name != "transferred_ms"
    }
    db.insert(TRANSFERS, **copied, transferred_ms=at.market_ms)
    if not event.listing_id:
        return
    if event.left_certs:
        for table in (LISTINGS, OFFERS):
            left_from_no = event.first_serial_no + event.count_certs
            where = {"listing_id": event.listing_id}
            db.update(table, where, first_serial_no=left_from_no, count_certs=event.left_certs)
    else:
        _end_listing(db, event.listing_id)


def green_month_delivered(db: Writer, event: GreenMonthDelivered, _at: At) -> None:
    """Show how the month of the agreement stands."""
    db.delete(DELIVERIES, {"agreement_id": event.agreement_id, "month": event.month})
    db.insert(DELIVERIES, **{column.name: getattr(event, column.name) for column in DELIVERIES.columns})


def certificates_retired(db: Writer, event: CertificatesRetired, at: At) -> None:
    """Mark the lot, and publish the retirement."""
    _put_lots(db, event)
    piece = next(piece for piece in event.pieces if piece.lot.retirement_id == event.retirement_id)
    codes = _codes(event.month, piece)
    given = (*codes, "retired_ms")
    copied = {column.name: getattr(event, column.name) for column in RETIREMENTS.columns if column.name not in given}
    db.insert(RETIREMENTS, **copied, **codes, retired_ms=at.market_ms)


def certificates_expired(db: Writer, event: CertificatesExpired, _at: At) -> None:
    """Mark the lot; a listing ends with it."""
    _put_lots(db, event)
    if event.listing_id:
        _end_listing(db, event.listing_id)


def projects(
    reader: Reader, viewer: Viewer, *, resource_id: int | None = None, owner_id: int | None = None
) -> list[Row]:
    """Cards of filed projects."""
    return reader.select(viewer, PROJECTS, {"resource_id": resource_id, "owner_id": owner_id})


def issuances(reader: Reader, viewer: Viewer, *, month: int | None = None, resource_id: int | None = None) -> list[Row]:
    """What was issued, with metered energy and remainders."""
    return reader.select(viewer, ISSUANCES, {"month": month, "resource_id": resource_id})


def lots(
    reader: Reader,
    viewer: Viewer,
    *,
    holder_id: int | None = None,
    month: int | None = None,
    resource_id: int | None = None,
    state: str | None = None,
) -> list[Row]:
    """Certificates as ranges with their first and last code. Refuses: 1011 for an unknown state."""
    if state is not None:
        fields.one_of("state", state, tuple(LotState))
    where = {"holder_id": holder_id, "month": month, "resource_id": resource_id, "state": state}
    return reader.select(viewer, LOTS, where)


def listings(reader: Reader, viewer: Viewer, *, resource_id: int | None = None, month: int | None = None) -> list[Row]:
    """Certificates for sale to the viewer, the cheapest first: those for anybody, then those that name the viewer a side."""
    where = {"resource_id": resource_id, "month": month}
    order = "price_fen, listing_id"
    return [row for table in (LISTINGS, OFFERS) for row in reader.select(viewer, table, where, order_by=order)]


def transfers(
    reader: Reader, viewer: Viewer, *, agreement_id: int | None = None, month: int | None = None
) -> list[Row]:
    """Sales, and deliveries with green agreements."""
    return reader.select(viewer, TRANSFERS, {"agreement_id": agreement_id, "month": month})


def deliveries(
    reader: Reader, viewer: Viewer, *, agreement_id: int | None = None, month: int | None = None
) -> list[Row]:
    """How the months of green agreements stand."""
    return reader.select(viewer, DELIVERIES, {"agreement_id": agreement_id, "month": month})


def retirements(
    reader: Reader, viewer: Viewer, *, retirement_id: int | None = None, holder_id: int | None = None
) -> list[Row]:
    """Retired certificates: the public proof of who used green power."""
    return reader.select(viewer, RETIREMENTS, {"retirement_id": retirement_id, "holder_id": holder_id})


def retirement_of(reader: Reader, viewer: Viewer, *, code: str) -> Row | None:
    """The retirement of one certificate by its 32-character code, or None if it is not retired. Refuses: 1011."""
    fields.text("code", code, CODE_COUNT, CODE_COUNT)
    if not (code.isascii() and code[_NUMBERS].isdecimal() and code[_DEVICE].isalnum()):
        return None
    serial_no = int(code[_SERIAL])
    where = {
        "resource_id": int(code[_DEVICE], 36),
        "month": _CENTURY + int(code[_MONTH]),
        "first_serial_no": ("<=", serial_no),
    }
    for row in reader.select(viewer, RETIREMENTS, where):
        same_kind = (row["first_code"][:PROJECT_CODE_COUNT], row["first_code"][-2:]) == (
            code[:PROJECT_CODE_COUNT],
            code[-2:],
        )
        if same_kind and serial_no < row["first_serial_no"] + row["count_certs"]:
            return row
    return None


VIEWS = Views(
    "certificates",
    TABLES,
    {
        ProjectFiled: project_filed,
        CertificatesIssued: certificates_issued,
        CertificatesBundled: lots_changed,
        BundleReleased: lots_changed,
        CertificatesListed: certificates_listed,
        CertificatesWithdrawn: certificates_withdrawn,
        CertificatesTransferred: certificates_transferred,
        GreenMonthDelivered: green_month_delivered,
        CertificatesRetired: certificates_retired,
        CertificatesExpired: certificates_expired,
    },
    (projects, issuances, lots, listings, transfers, deliveries, retirements, retirement_of, match),
)
