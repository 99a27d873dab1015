"""Lots of consecutive serials: finding one, cutting a piece out of it, telling it in a code."""

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from shudian.contracts.certificates.messages import Lot, LotState, Piece
from shudian.contracts.certificates.messages_refusals import (
    CERTIFICATES_BUNDLED,
    CERTIFICATES_EXPIRED,
    CERTIFICATES_LISTED,
    CERTIFICATES_OF_ANOTHER,
    CERTIFICATES_RETIRED,
    CERTIFICATES_UNKNOWN,
)
from shudian.contracts.certificates.state import LOTS
from shudian.kernel import check, clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import Refusal, both
from shudian.kernel.tables import HasStore, Key

_WHY_NOT: dict[LotState, Refusal] = {
    LotState.RETIRED: CERTIFICATES_RETIRED,
    LotState.EXPIRED: CERTIFICATES_EXPIRED,
    LotState.LISTED: CERTIFICATES_LISTED,
    LotState.BUNDLED: CERTIFICATES_BUNDLED,
}


@dataclass(frozen=True)
class Place:
    """Where a lot stands: its device, month and first serial."""

    resource_id: int
    month: int
    first_serial_no: int

    @classmethod
    def of(cls, key: Key) -> "Place":
        """The place that a key of the table of lots names."""
        resource_id, month, first_serial_no = key
        return cls(int(resource_id), int(month), int(first_serial_no))

    @property
    def deed(self) -> str:
        """The story of a device-month's certificates."""
        return deed_of(self.resource_id, self.month)


def deed_of(resource_id: int, month: int) -> str:
    """The deed under which everything about a device-month's certificates is told."""
    return f"certificates:{resource_id}-{month}"


def lot_of(at: HasStore, resource_id: int, month: int, serial_no: int) -> tuple[Place, Lot]:
    """The lot that holds a serial. Refuses: 11008."""
    for key, lot in LOTS.range(at, resource_id, month):
        place = Place.of(key)
        if place.first_serial_no <= serial_no < place.first_serial_no + lot.count_certs:
            return place, lot
    raise CERTIFICATES_UNKNOWN(
        "first_serial_no",
        serial_no,
        both(f"资源 {resource_id} 在 {month} 核发的绿证", f"issued to resource {resource_id} for {month}"),
    )


def require_free(
    ctx: Context, resource_id: int, month: int, first_serial_no: int, count_certs: int
) -> tuple[Place, Lot]:
    """The lot of the sender that holds a whole range of free certificates. Refuses: 11008-11013."""
    place, lot = lot_of(ctx, resource_id, month, first_serial_no)
    if lot.holder_id != ctx.sender_id:
        raise CERTIFICATES_OF_ANOTHER("first_serial_no", first_serial_no)
    if lot.state in _WHY_NOT:
        raise _WHY_NOT[lot.state]("first_serial_no", first_serial_no)
    # the block hook that marks expired lots runs after the messages of the day's first block
    if lot.valid_to_day < clock.day_of(ctx.market_ms):
        raise CERTIFICATES_EXPIRED(
            "first_serial_no", first_serial_no, both(f"有效期至 {lot.valid_to_day}", f"valid to {lot.valid_to_day}")
        )
    left_certs = place.first_serial_no + lot.count_certs - first_serial_no
    if count_certs > left_certs:
        raise CERTIFICATES_UNKNOWN("count_certs", count_certs, f"<= {left_certs}")
    return place, lot


def carve(
    ctx: BlockContext, place: Place, lot: Lot, first_serial_no: int, count_certs: int, **changes: Any
) -> tuple[Piece, ...]:
    """Cut a range out of a lot and change it; what is before and behind it stays as it was. Returns all pieces, the range among them."""
    end_no, lot_end_no = first_serial_no + count_certs, place.first_serial_no + lot.count_certs
    check.that(place.first_serial_no <= first_serial_no < end_no <= lot_end_no, "the range lies within the lot")
    wanted = (
        Piece(place.first_serial_no, replace(lot, count_certs=first_serial_no - place.first_serial_no)),
        Piece(first_serial_no, replace(lot, count_certs=count_certs, **changes)),
        Piece(end_no, replace(lot, count_certs=lot_end_no - end_no)),
    )
    pieces = tuple(piece for piece in wanted if piece.lot.count_certs)
    for piece in pieces:
        LOTS.put(ctx, (place.resource_id, place.month, piece.first_serial_no), piece.lot)
    return pieces


def change(ctx: BlockContext, place: Place, lot: Lot, **changes: Any) -> tuple[Piece, ...]:
    """Change a whole lot. Returns it as its only piece."""
    return carve(ctx, place, lot, place.first_serial_no, lot.count_certs, **changes)
