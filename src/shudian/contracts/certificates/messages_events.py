"""What happened to certificates. Each event carries the lots as they stand afterwards, so that a reader needs no arithmetic."""

from typing import ClassVar

from shudian.contracts.certificates.messages import Hours, Piece, Project, Purpose
from shudian.kernel.messages import Event


class ProjectFiled(Event):
    """A project was filed, or filed anew."""

    step: ClassVar[str] = "filed"
    zh: ClassVar[str] = "项目已建档立卡"
    en: ClassVar[str] = "project filed"

    resource_id: int
    project: Project


class CertificatesIssued(Event):
    """A device-month was issued. metered_wh + corrected_wh + carry_in_wh = 1,000,000 x count_certs + carry_out_wh.

    corrected_wh: by how much readings of months issued before were corrected since. hours: of the certificates.
    """

    step: ClassVar[str] = "issued"
    zh: ClassVar[str] = "绿证已核发"
    en: ClassVar[str] = "certificates issued"

    resource_id: int
    month: int
    owner_id: int
    project_code: str
    tradable: bool
    count_certs: int
    metered_wh: int
    corrected_wh: int
    carry_in_wh: int
    carry_out_wh: int
    valid_to_day: int
    pieces: tuple[Piece, ...]
    hours: Hours


class CertificatesBundled(Event):
    """Certificates are kept for a green agreement until its month is settled."""

    step: ClassVar[str] = "bundled"
    zh: ClassVar[str] = "绿证已捆绑绿电合同"
    en: ClassVar[str] = "certificates bundled with a green agreement"

    resource_id: int
    month: int
    agreement_id: int
    count_certs: int
    pieces: tuple[Piece, ...]


class BundleReleased(Event):
    """Certificates that were kept for a green agreement are free: settlement certified less."""

    step: ClassVar[str] = "released"
    zh: ClassVar[str] = "捆绑绿证已释放"
    en: ClassVar[str] = "bundled certificates released"

    resource_id: int
    month: int
    agreement_id: int
    count_certs: int
    pieces: tuple[Piece, ...]


class CertificatesListed(Event):
    """Certificates are for sale. price_fen: of one. buyer_id: to whom, 0 to anybody."""

    step: ClassVar[str] = "listed"
    zh: ClassVar[str] = "绿证已挂牌"
    en: ClassVar[str] = "certificates listed"

    listing_id: int
    resource_id: int
    month: int
    first_serial_no: int
    count_certs: int
    price_fen: int
    seller_id: int
    buyer_id: int
    valid_to_day: int
    pieces: tuple[Piece, ...]


class CertificatesWithdrawn(Event):
    """A listing was withdrawn by its seller."""

    step: ClassVar[str] = "withdrawn"
    zh: ClassVar[str] = "挂牌已撤回"
    en: ClassVar[str] = "listing withdrawn"

    listing_id: int
    resource_id: int
    month: int
    pieces: tuple[Piece, ...]


class CertificatesTransferred(Event):
    """Certificates went to a buyer: against money by a listing, or with a green agreement, whose statement pays for them.

    listing_id, price_fen, paid_fen: of a sale, else 0. agreement_id: of a delivery, else 0. left_certs: of the listing.
    """

    step: ClassVar[str] = "transferred"
    zh: ClassVar[str] = "绿证已划转"
    en: ClassVar[str] = "certificates transferred"

    transfer_id: int
    resource_id: int
    month: int
    first_serial_no: int
    count_certs: int
    seller_id: int
    buyer_id: int
    listing_id: int
    agreement_id: int
    price_fen: int
    paid_fen: int
    left_certs: int
    pieces: tuple[Piece, ...]
    hours: Hours


class GreenMonthDelivered(Event):
    """How a month of a green agreement stands. certified_kwh + carry_in_kwh = 1,000 x max(due, delivered) + carry_out_kwh."""

    step: ClassVar[str] = "certified"
    zh: ClassVar[str] = "绿电合同绿证已划转"
    en: ClassVar[str] = "certificates of a green agreement delivered"

    agreement_id: int
    month: int
    seller_id: int
    buyer_id: int
    certified_kwh: int
    carry_in_kwh: int
    due_certs: int
    delivered_certs: int
    carry_out_kwh: int


class CertificatesRetired(Event):
    """Certificates were retired for good; anybody may know."""

    step: ClassVar[str] = "retired"
    zh: ClassVar[str] = "绿证已核销"
    en: ClassVar[str] = "certificates retired"

    retirement_id: int
    resource_id: int
    month: int
    first_serial_no: int
    count_certs: int
    holder_id: int
    beneficiary: str
    purpose: Purpose
    first_month: int
    last_month: int
    pieces: tuple[Piece, ...]


class CertificatesExpired(Event):
    """The validity of a lot is over. listing_id: the listing that ended with it, else 0."""

    step: ClassVar[str] = "expired"
    zh: ClassVar[str] = "绿证已过期"
    en: ClassVar[str] = "certificates expired"

    resource_id: int
    month: int
    count_certs: int
    listing_id: int
    pieces: tuple[Piece, ...]


EVENTS: tuple[type[Event], ...] = (
    ProjectFiled,
    CertificatesIssued,
    CertificatesBundled,
    BundleReleased,
    CertificatesListed,
    CertificatesWithdrawn,
    CertificatesTransferred,
    GreenMonthDelivered,
    CertificatesRetired,
    CertificatesExpired,
)
