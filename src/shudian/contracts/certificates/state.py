"""What certificates remember: filed projects, issued device-months, lots of consecutive serials, listings, deliveries, retirements.

Certificates are kept as ranges: a device-month's serials 1..n are always tiled by its lots, so none is lost or claimed twice.
"""

from shudian.contracts.certificates.messages import Lot, LotState, Project, Purpose
from shudian.kernel.codec import Record
from shudian.kernel.contract import BlockContext, RowInvariant, StateInvariant
from shudian.kernel.tables import Key, Table
from shudian.kernel.units import KWH_PER_MWH, WH_PER_KWH

WH_PER_CERTIFICATE = WH_PER_KWH * KWH_PER_MWH
KWH_PER_CERTIFICATE = KWH_PER_MWH
LIVE = (LotState.HELD, LotState.LISTED, LotState.BUNDLED)
"""States that validity ends."""


class Issuance(Record):
    """A device-month that was issued.

    count_certs: how many. metered_wh: of the month, as it was read then. adjusted_wh: by how much its readings were corrected
    since, as far as a later month took it in. corrected_wh: such adjustments of earlier months taken in here. carry_in_wh,
    carry_out_wh: remainder from the month before and to the next. capacity_kw: at the time. readings_count: sum of the versions of
    the readings, which grows with a correction. valid_to_day: the last day. provenance: digest of the cold :class:`Provenance`.
    """

    owner_id: int
    project_code: str
    tradable: bool
    count_certs: int
    metered_wh: int
    adjusted_wh: int
    corrected_wh: int
    carry_in_wh: int
    carry_out_wh: int
    capacity_kw: int
    readings_count: int
    valid_to_day: int
    provenance: bytes


class Provenance(Record):
    """Cold: from which quarter hours the certificates of a device-month come.

    opening_wh: what was carried or corrected into the month; it comes before the slots. slots_wh: 96 a day. The running sum of both
    passes a multiple of 1 MWh where a certificate ends, so each slot holds a range of serials.
    """

    opening_wh: int
    slots_wh: tuple[int, ...]


class Listing(Record):
    """Certificates for sale: the lot that starts at first_serial_no. price_fen: of one. buyer_id: to whom, 0 to anybody."""

    resource_id: int
    month: int
    first_serial_no: int
    seller_id: int
    price_fen: int
    buyer_id: int


class Delivery(Record):
    """A month of a green agreement. certified_kwh: min of three by settlement. due_certs: whole MWh of it and the carry; delivered_certs: moved."""

    certified_kwh: int
    carry_in_kwh: int
    due_certs: int
    delivered_certs: int
    carry_out_kwh: int


class Retirement(Record):
    """Proof of use: which certificates, by whom, for whom and what, for which months of use, and when."""

    resource_id: int
    month: int
    first_serial_no: int
    count_certs: int
    holder_id: int
    beneficiary: str
    purpose: Purpose
    first_month: int
    last_month: int
    retired_ms: int


def _by_holder(_key: Key, row: Lot) -> Key | None:
    return (row.holder_id,) if row.state is LotState.HELD else None


def _by_agreement(key: Key, row: Lot) -> Key | None:
    return (row.agreement_id, key[1]) if row.state is LotState.BUNDLED else None


def _by_expiry(_key: Key, row: Lot) -> Key | None:
    return (row.valid_to_day,) if row.state in LIVE else None


PROJECTS = Table("certificates.projects", Project, ("resource_id",))
ISSUANCES = Table("certificates.issuances", Issuance, ("resource_id", "month"))
LOTS = Table(
    "certificates.lots",
    Lot,
    ("resource_id", "month", "first_serial_no"),
    {"by_holder": _by_holder, "by_agreement": _by_agreement, "by_expiry": _by_expiry},
)
LISTINGS = Table("certificates.listings", Listing, ("listing_id",))
DELIVERIES = Table("certificates.deliveries", Delivery, ("agreement_id", "month"))
RETIREMENTS = Table("certificates.retirements", Retirement, ("retirement_id",))

TABLES = (PROJECTS, ISSUANCES, LOTS, LISTINGS, DELIVERIES, RETIREMENTS)


def _loses_no_wh(_key: Key, row: Issuance) -> bool:
    energy_wh = row.metered_wh + row.corrected_wh + row.carry_in_wh
    return (
        energy_wh == row.count_certs * WH_PER_CERTIFICATE + row.carry_out_wh and row.carry_out_wh < WH_PER_CERTIFICATE
    )


def _is_in_one_state(_key: Key, row: Lot) -> bool:
    return (
        row.count_certs > 0
        and (row.listing_id > 0) == (row.state is LotState.LISTED)
        and (row.retirement_id > 0) == (row.state is LotState.RETIRED)
        and (row.agreement_id > 0 or row.state is not LotState.BUNDLED)
    )


def _moves_once(_key: Key, row: Lot) -> bool:
    return row.tradable or not (row.transferred or row.state in (LotState.LISTED, LotState.BUNDLED))


def _keeps_the_rest(_key: Key, row: Delivery) -> bool:
    given_kwh = max(row.due_certs, row.delivered_certs) * KWH_PER_CERTIFICATE
    return row.certified_kwh + row.carry_in_kwh == given_kwh + row.carry_out_kwh


def _lots_tile_what_was_issued(at: BlockContext) -> bool:
    """Issued = held + listed + bundled + retired + expired, serial by serial."""
    reached: dict[tuple[object, object], int] = {}
    for (resource_id, month, first_serial_no), lot in LOTS.range(at):
        device_month = (resource_id, month)
        if first_serial_no != reached.get(device_month, 0) + 1:
            return False
        reached[device_month] = reached.get(device_month, 0) + lot.count_certs
    issued = {(key[0], key[1]): row.count_certs for key, row in ISSUANCES.range(at) if row.count_certs}
    return reached == issued


def _owner_lots_moved_once(at: BlockContext) -> bool:
    """A lot that was never transferred is still its first owner's."""
    return all(
        lot.transferred or lot.holder_id == ISSUANCES.need(at, key[0], key[1]).owner_id for key, lot in LOTS.range(at)
    )


def _carries_hang_together(at: BlockContext) -> bool:
    """A device-month starts with what the one before it left."""
    carried: dict[object, int] = {}
    for key, row in ISSUANCES.range(at):
        if row.carry_in_wh != carried.get(key[0], 0):
            return False
        carried[key[0]] = row.carry_out_wh
    return True


def _listings_have_lots(at: BlockContext) -> bool:
    listed = {row.listing_id: key for key, row in LOTS.range(at) if row.state is LotState.LISTED}
    rows = {key[0]: (row.resource_id, row.month, row.first_serial_no) for key, row in LISTINGS.range(at)}
    return listed == rows


def _retirements_are_lots(at: BlockContext) -> bool:
    lots = {row.retirement_id: (*key, row.count_certs) for key, row in LOTS.range(at) if row.retirement_id}
    rows = {
        key[0]: (row.resource_id, row.month, row.first_serial_no, row.count_certs) for key, row in RETIREMENTS.range(at)
    }
    return lots == rows


INVARIANTS = (
    RowInvariant("no Wh is lost: metered + corrected + carry in = certificates + carry out", ISSUANCES, _loses_no_wh),
    RowInvariant("a lot has certificates and one state", LOTS, _is_in_one_state),
    RowInvariant("what cannot be traded stays with its first owner", LOTS, _moves_once),
    RowInvariant("no kWh of a green agreement is lost", DELIVERIES, _keeps_the_rest),
    StateInvariant("lots tile the serials that were issued", _lots_tile_what_was_issued),
    StateInvariant("a lot that was not transferred is its first owner's", _owner_lots_moved_once),
    StateInvariant("a device-month starts with what the one before left", _carries_hang_together),
    StateInvariant("each listing is one listed lot", _listings_have_lots),
    StateInvariant("each retirement is one retired lot", _retirements_are_lots),
)
