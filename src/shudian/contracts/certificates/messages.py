"""What may be said about green certificates 绿证 and what is answered; events and refusals stand beside it.

Basis: 《可再生能源绿色电力证书核发和交易规则》（国能发新能规〔2024〕67号）; domain 3.7, 5. One certificate is 1 MWh.
"""

from enum import IntEnum, StrEnum
from typing import ClassVar

from shudian.contracts.certificates.messages_codes import SERIAL_MAX_NO
from shudian.contracts.roles import SELLING_KINDS, TRADING_KINDS, Kind, Role
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import PUBLIC, Authority, Message, Setting
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Reply

ID_MAX = 10**12
PRICE_MAX_FEN = 1_000_000
RESOURCES_MAX_COUNT = 500
MONTH_MAX_COUNT = 600


class TradeClass(IntEnum):
    """Codes of the setting ``certificates.trade_class_code``: what the output of an energy earns."""

    NONE = 0
    TRADABLE = 1
    NOT_TRADABLE = 2
    TRADABLE_IF_NEW = 3
    """Tradable if commissioned on or after ``certificates.tradable_from_day`` and fully in the market."""


class LotState(StrEnum):
    """Where the certificates of a lot stand."""

    HELD = "held"
    LISTED = "listed"
    BUNDLED = "bundled"
    """Kept for a green agreement of the holder until its month is settled 证电合一."""
    RETIRED = "retired"
    EXPIRED = "expired"


class Purpose(StrEnum):
    """What certificates are retired for 核销用途."""

    OWN_USE = "own_use"
    """绿色电力消费证明"""
    CONSUMPTION_WEIGHT = "consumption_weight"
    """可再生能源电力消纳责任权重"""
    CARBON = "carbon"
    """碳排放核算（范围二）"""
    PRODUCT = "product"
    """产品认证"""
    EVENT = "event"
    """活动"""


class Project(Record):
    """The card of a filed project 建档立卡: facts that the exchange has checked, which certificates follow.

    owner_id: member. code: 17 characters. commissioning_day: 0 unknown. fully_in_market: whether all output is sold in the market.
    """

    owner_id: int
    code: str
    commissioning_day: int
    fully_in_market: bool


class Lot(Record):
    """Certificates of one device and month with consecutive serials, alike in all respects; the first serial is in the key.

    count_certs: how many. project_code, tradable: of every code. transferred: whether they were sold or delivered, which can
    happen once. valid_to_day: the last day. listing_id: while listed. agreement_id: the green agreement they are kept for
    or were delivered under. retirement_id: of retired ones.
    """

    count_certs: int
    holder_id: int
    state: LotState
    project_code: str
    tradable: bool
    transferred: bool
    valid_to_day: int
    listing_id: int = 0
    agreement_id: int = 0
    retirement_id: int = 0


class Piece(Record):
    """A lot as it stands after an event, with its first serial."""

    first_serial_no: int
    lot: Lot


class Hours(Record):
    """When the energy of consecutive certificates was generated.

    first_hour_no: hour of the month, from 0, of the first entry. hours_wh: Wh of the certificates by hour. before_wh: what of
    them was carried into the month.
    """

    first_hour_no: int
    before_wh: int
    hours_wh: tuple[int, ...]


_RULE = "国能发新能规〔2024〕67号"

SETTINGS = (
    Setting(
        "certificates.trade_class_code",
        TradeClass.NONE,
        TradeClass.TRADABLE_IF_NEW,
        "绿证类别（按能源：0 不核发，1 可交易，2 不可交易，3 新投产且全部入市者可交易）",
        "class by energy (0 none, 1 tradable, 2 not tradable, 3 tradable if new and fully in the market)",
        scoped=True,
        source=_RULE,
    ),
    Setting(
        "certificates.tradable_from_day",
        19_700_101,
        99_991_231,
        "类别 3：自该日起投产者可交易",
        "class 3: tradable if commissioned on or after this day",
        source=_RULE,
    ),
    Setting(
        "certificates.validity_months_count",
        1,
        MONTH_MAX_COUNT,
        "有效期月数（含发电月）",
        "months of validity, the month of generation included",
        source=_RULE,
    ),
)

_CENTRE = "由交易中心操作员代行核发机构（国家能源局电力业务资质管理中心）职责"


class FileProject(Message):
    """File a renewable plant or unit, or file it anew: later issues follow the new card, issued certificates keep their code.

    commissioning_day: as checked on the documents; 0 unknown, then nothing is tradable. fully_in_market: as checked.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.REVIEWER,
        sees=PUBLIC,
        when_zh="资源已生效，为可再生能源电厂或机组",
        when_en="the resource is active and a plant or unit of a renewable energy",
    )

    resource_id: int
    commissioning_day: int
    fully_in_market: bool

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("resource_id", self.resource_id, 1, ID_MAX)
        if self.commissioning_day:
            fields.day("commissioning_day", self.commissioning_day)


class IssueCertificates(Message):
    """Issue a month's certificates 核发 to the owners of devices, from accepted readings; all of the devices or none.

    month: yyyymm, over. resource_ids: filed devices, rising.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.OPERATOR,
        sees=PUBLIC,
        when_zh=f"该月已结束、读数齐全、逐月核发且不重复、不超过容量×时间；{_CENTRE}",
        when_en="the month is over and read in full, months follow one another and none is issued twice, within capacity x time",
    )

    month: int
    resource_ids: tuple[int, ...]

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.month("month", self.month)
        fields.count("resource_ids", self.resource_ids, 1, RESOURCES_MAX_COUNT)
        fields.rising("resource_ids", self.resource_ids)


class ListCertificates(Message):
    """Offer own certificates for sale 挂牌, or to one named member 双边协商; they are locked until sold or withdrawn.

    The range lies within one lot. price_fen: of one certificate. buyer_id: who may take it, 0 for anybody.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=SELLING_KINDS,
        role=Role.TRADER,
        when_zh="本方持有的可交易绿证，未转让、未挂牌、未捆绑、未核销、未过期",
        when_en="own tradable certificates that were never sold and are not listed, bundled, retired or expired",
    )

    resource_id: int
    month: int
    first_serial_no: int
    count_certs: int
    price_fen: int
    buyer_id: int = 0

    def check(self) -> None:
        """Refuse malformed fields."""
        _check_range(self.resource_id, self.month, self.first_serial_no, self.count_certs)
        fields.whole("price_fen", self.price_fen, 1, PRICE_MAX_FEN)
        fields.whole("buyer_id", self.buyer_id, 0, ID_MAX)


class BuyCertificates(Message):
    """Buy certificates of a listing 摘牌, lowest serials first; money and certificates change hands in this message (DvP)."""

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        when_zh="挂牌有效、数量足够、非本方挂牌，卖方状态正常，可用资金足够",
        when_en="the listing is open to the sender and large enough, its seller in good standing, and the free funds suffice",
    )

    listing_id: int
    count_certs: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("listing_id", self.listing_id, 1, ID_MAX)
        fields.whole("count_certs", self.count_certs, 1, SERIAL_MAX_NO)


class WithdrawCertificates(Message):
    """Take what is left of an own listing back 撤牌."""

    authority: ClassVar[Authority] = Authority(
        kinds=SELLING_KINDS,
        role=Role.TRADER,
        when_zh="本方挂牌",
        when_en="an own listing",
        active_only=False,
    )

    listing_id: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("listing_id", self.listing_id, 1, ID_MAX)


class DeliverCertificates(Message):
    """Move a month's certificates of a green agreement from seller to buyer, by what settlement certified 证电合一.

    Said again after a correction or a late issue, it moves what is still due.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.OPERATOR,
        when_zh="绿电合同该月结算单已出具，绿证已核发，仍有应划转绿证",
        when_en="the month of the green agreement is on a statement, its certificates are issued, and some are due",
    )

    agreement_id: int
    month: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("agreement_id", self.agreement_id, 1, ID_MAX)
        fields.month("month", self.month)


class RetireCertificates(Message):
    """Retire own certificates for good 核销, as proof that a beneficiary used green power.

    The range lies within one lot. beneficiary: who claims the use, in words. first_month, last_month: period of the use.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        when_zh="本方持有，未挂牌、未捆绑、未核销、未过期",
        when_en="own certificates that are not listed, bundled, retired or expired",
    )

    resource_id: int
    month: int
    first_serial_no: int
    count_certs: int
    beneficiary: str
    purpose: Purpose
    first_month: int
    last_month: int

    def check(self) -> None:
        """Refuse malformed fields."""
        _check_range(self.resource_id, self.month, self.first_serial_no, self.count_certs)
        fields.text("beneficiary", self.beneficiary, 80)
        fields.month("first_month", self.first_month)
        fields.month("last_month", self.last_month)
        if self.last_month < self.first_month:
            raise FIELD_NOT_ALLOWED("last_month", self.last_month, f">= {self.first_month}")


def _check_range(resource_id: int, month: int, first_serial_no: int, count_certs: int) -> None:
    fields.whole("resource_id", resource_id, 1, ID_MAX)
    fields.month("month", month)
    fields.whole("first_serial_no", first_serial_no, 1, SERIAL_MAX_NO)
    fields.whole("count_certs", count_certs, 1, SERIAL_MAX_NO)


class ProjectReply(Reply):
    """The code of a filed project."""

    project_code: str


class CertificateIssueReply(Reply):
    """What was issued to each device, in the order of the message."""

    counts_certs: tuple[int, ...]


class CertificateListingReply(Reply):
    """The number given to a listing."""

    listing_id: int


class CertificatePurchaseReply(Reply):
    """What was bought and paid, and what of the listing is left."""

    resource_id: int
    month: int
    first_serial_no: int
    count_certs: int
    paid_fen: int
    left_certs: int


class CertificateDeliveryReply(Reply):
    """What was moved now, and what is still due because too few certificates are issued."""

    moved_certs: int
    due_certs: int


class CertificateRetirementReply(Reply):
    """The number of a retirement, by which others look it up."""

    retirement_id: int


REPLIES: tuple[type[Reply], ...] = (
    ProjectReply,
    CertificateIssueReply,
    CertificateListingReply,
    CertificatePurchaseReply,
    CertificateDeliveryReply,
    CertificateRetirementReply,
)
MESSAGES: tuple[type[Message], ...] = (
    FileProject,
    IssueCertificates,
    ListCertificates,
    BuyCertificates,
    WithdrawCertificates,
    DeliverCertificates,
    RetireCertificates,
)
