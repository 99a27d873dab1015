"""What may be said about joining the market and changing what is registered, what happened, and the refusals."""

from enum import StrEnum
from typing import ClassVar

from shudian.contracts.identity import messages_codes as codes
from shudian.contracts.roles import ALL_KINDS, Kind, Role
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import Authority, Event, Message
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply, both

DOCUMENTS_MAX_COUNT = 30
NAME_LONGEST = 120
REASON_LONGEST = 500
COUNT_MAX = 1_000_000

APPLICANT_KINDS = (Kind.GENERATOR, Kind.RETAILER, Kind.USER, Kind.BANK)
"""Kinds that join by application; exchange, grid company and regulator are there once, from genesis on."""


class Evidence(StrEnum):
    """Kinds of document whose salted hash an application carries."""

    BUSINESS_LICENCE = "business_licence"
    POWER_LICENCE = "power_licence"
    FINANCIAL_LICENCE = "financial_licence"
    LEGAL_PERSON = "legal_person"
    AUTHORISATION = "authorisation"
    BANK_ACCOUNT = "bank_account"
    ASSET_REPORT = "asset_report"
    STAFF_LIST = "staff_list"
    USCC_CERTIFICATE = "uscc_certificate"
    """The registry's confirmation of an old code whose check character does not fit (domain 2.4)."""
    OTHER = "other"


class Item(StrEnum):
    """What a reviewer checks (domain 2.4), in this order."""

    USCC = "uscc"
    LICENCE = "licence"
    BANK_ACCOUNT = "bank_account"
    LEGAL_PERSON = "legal_person"
    AUTHORISATION = "authorisation"
    SANCTIONS = "sanctions"
    DUPLICATE = "duplicate"


class Decision(StrEnum):
    """What a reviewer decides: approve 通过, return 退回补正, reject 不予注册."""

    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"


class Document(Record):
    """One document, off the chain. digest: its salted hash, 32 bytes."""

    evidence: Evidence
    digest: bytes


class Declared(Record):
    """Numbers an applicant declares; zero where they do not apply. annual_volume_kwh: energy a retailer means to sell in a year."""

    assets_fen: int = 0
    annual_volume_kwh: int = 0
    staff_count: int = 0
    senior_engineer_count: int = 0
    mid_engineer_count: int = 0


class Particulars(Record):
    """What is registered of a company and reviewed as one. legal_person_digest: salted hash, 32 bytes."""

    name_zh: str
    name_en: str
    legal_person_digest: bytes
    documents: tuple[Document, ...]
    declared: Declared = Declared()

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.text("name_zh", self.name_zh, NAME_LONGEST)
        fields.text("name_en", self.name_en, NAME_LONGEST)
        fields.digest("legal_person_digest", self.legal_person_digest)
        fields.count("documents", self.documents, 1, DOCUMENTS_MAX_COUNT)
        for place, document in enumerate(self.documents):
            fields.digest(f"documents[{place}].digest", document.digest)
        fields.whole("assets_fen", self.declared.assets_fen, 0, fields.AMOUNT_MAX)
        fields.whole("annual_volume_kwh", self.declared.annual_volume_kwh, 0, fields.AMOUNT_MAX)
        fields.whole("staff_count", self.declared.staff_count, 0, COUNT_MAX)
        fields.whole("senior_engineer_count", self.declared.senior_engineer_count, 0, COUNT_MAX)
        fields.whole("mid_engineer_count", self.declared.mid_engineer_count, 0, COUNT_MAX)

    def has(self, evidence: Evidence) -> bool:
        """Whether a document of that kind is there."""
        return any(document.evidence == evidence for document in self.documents)


class ItemCheck(Record):
    """The reviewer's finding on one item; the note says why where that is not plain."""

    item: Item
    passed: bool
    note: str = ""


def all_passed(uscc_note: str = "") -> tuple[ItemCheck, ...]:
    """Every item found in order, as an approval needs; ``uscc_note``: why a code with a wrong check character is accepted."""
    return tuple(ItemCheck(item, passed=True, note=uscc_note if item == Item.USCC else "") for item in Item)


def _check_uscc(uscc: str, particulars: Particulars) -> None:
    if particulars.has(Evidence.USCC_CERTIFICATE):
        codes.check_uscc_form(uscc)
    else:
        codes.check_uscc(uscc)


class ApplyMember(Message):
    """Apply for membership; the signing key becomes that of person 1, an admin.

    uscc: 统一社会信用代码; one whose check character does not fit passes only with the registry's certificate among the documents, and
    the reviewer then has to note it. person_digest: salted hash of the signing person's identity.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(),
        role="",
        when_zh="签名密钥与统一社会信用代码均未被使用",
        when_en="neither the signing key nor the credit code is in use",
        active_only=False,
    )

    kind: Kind
    uscc: str
    particulars: Particulars
    person_digest: bytes

    def check(self) -> None:
        """Refuse malformed fields, kinds that do not apply, and codes that fail GB 32100 without a certificate."""
        fields.one_of("kind", self.kind, APPLICANT_KINDS)
        self.particulars.check()
        _check_uscc(self.uscc, self.particulars)
        fields.digest("person_digest", self.person_digest)


class ResubmitApplication(Message):
    """Hand in a returned application again, put right."""

    authority: ClassVar[Authority] = Authority(
        kinds=ALL_KINDS,
        role=Role.ADMIN,
        when_zh="申请已被退回补正",
        when_en="the application was returned",
        active_only=False,
    )

    uscc: str
    particulars: Particulars

    def check(self) -> None:
        """Refuse what an application may not hold."""
        self.particulars.check()
        _check_uscc(self.uscc, self.particulars)


class ReviewMember(Message):
    """Decide on an application or on a change; during the public notice an application may still be returned or rejected.

    checks: findings by item, in the order of :class:`Item`; an approval needs every item passed. reason: needed unless approved.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE, Kind.REGULATOR),
        role=Role.REVIEWER,
        when_zh="有待审事项，且不是本单位的申请；售电公司须满足资产、电量与人员条件",
        when_en="something waits for review, not one's own; a retailer meets the conditions of assets, volume and staff",
    )

    member_id: int
    decision: Decision
    checks: tuple[ItemCheck, ...]
    reason: str

    def check(self) -> None:
        """Refuse findings out of order, approvals with an item open, refusals without a reason."""
        fields.whole("member_id", self.member_id, 1, fields.AMOUNT_MAX)
        fields.count("checks", self.checks, 0, len(Item))
        fields.text("reason", self.reason, REASON_LONGEST, 0 if self.decision == Decision.APPROVE else 1)
        order = list(Item)
        fields.rising("checks", [order.index(found.item) for found in self.checks])
        for place, found in enumerate(self.checks):
            fields.text(f"checks[{place}].note", found.note, REASON_LONGEST, 0)
        if self.decision == Decision.APPROVE:
            missing = [item for item in Item if not any(found.item == item and found.passed for found in self.checks)]
            if missing:
                codes = " ".join(missing)
                not_passed = both(f"未通过：{codes}", f"not passed: {codes}")
                raise FIELD_NOT_ALLOWED("checks", not_passed, both("每项均已通过", "every item passed"))


class ChangeMember(Message):
    """Ask for a change of what is registered; the old particulars hold until the change is approved. The code never changes."""

    authority: ClassVar[Authority] = Authority(
        kinds=ALL_KINDS,
        role=Role.ADMIN,
        when_zh="正常或暂停的成员，且没有待审的变更",
        when_en="an active or suspended member without a change under review",
        active_only=False,
    )

    particulars: Particulars

    def check(self) -> None:
        """Refuse malformed fields."""
        self.particulars.check()


class MemberReply(Reply):
    """The number under which the applicant speaks from now on."""

    member_id: int


class MemberApplied(Event):
    """An application was handed in."""

    step: ClassVar[str] = "applied"
    zh: ClassVar[str] = "已提交注册申请"
    en: ClassVar[str] = "application submitted"

    member_id: int
    kind: Kind
    uscc: str
    particulars: Particulars


class MemberEnrolled(Event):
    """A member was there from genesis on."""

    step: ClassVar[str] = "enrolled"
    zh: ClassVar[str] = "创世成员已登记"
    en: ClassVar[str] = "enrolled at genesis"

    member_id: int
    kind: Kind
    uscc: str
    particulars: Particulars


class ApplicationResubmitted(Event):
    """A returned application was handed in again."""

    step: ClassVar[str] = "resubmitted"
    zh: ClassVar[str] = "补正后重新提交"
    en: ClassVar[str] = "application resubmitted"

    member_id: int
    uscc: str
    particulars: Particulars


class MemberReviewed(Event):
    """A reviewer decided.

    review_no: of all reviews. change: on a change, else on the application. documents_digest: SHA-256 of the set of documents.
    """

    step: ClassVar[str] = "reviewed"
    zh: ClassVar[str] = "审核完成"
    en: ClassVar[str] = "reviewed"

    member_id: int
    review_no: int
    change: bool
    decision: Decision
    checks: tuple[ItemCheck, ...]
    reason: str
    documents_digest: bytes


class MemberNoticed(Event):
    """An approved application is on public notice 公示 until ``notice_until_ms``."""

    step: ClassVar[str] = "noticed"
    zh: ClassVar[str] = "进入公示"
    en: ClassVar[str] = "on public notice"

    member_id: int
    kind: Kind
    uscc: str
    name_zh: str
    name_en: str
    notice_until_ms: int


class MemberActivated(Event):
    """A membership took effect."""

    step: ClassVar[str] = "activated"
    zh: ClassVar[str] = "注册生效"
    en: ClassVar[str] = "membership in effect"

    member_id: int


class ChangeRequested(Event):
    """A change of the particulars waits for review."""

    step: ClassVar[str] = "change_requested"
    zh: ClassVar[str] = "已提交变更申请"
    en: ClassVar[str] = "change submitted"

    member_id: int
    particulars: Particulars


class MemberChanged(Event):
    """A change was approved and holds."""

    step: ClassVar[str] = "changed"
    zh: ClassVar[str] = "变更生效"
    en: ClassVar[str] = "change in effect"

    member_id: int
    particulars: Particulars


USCC_IN_USE = Refusal(3012, "uscc_in_use", "该统一社会信用代码已有注册", "the credit code is already registered", 409)
USCC_NEEDS_A_NOTE = Refusal(
    3013,
    "uscc_needs_a_note",
    "统一社会信用代码校验位不符，审核人须写明凭证依据",
    "the code's check character does not fit; the reviewer has to note on what evidence it is accepted",
)
OWN_CASE = Refusal(3014, "own_case", "不得决定本单位的事项", "nobody decides on its own case", 403)
NOTHING_TO_REVIEW = Refusal(3015, "nothing_to_review", "没有待审事项", "nothing waits for review", 409)
RETAILER_ASSETS_TOO_LOW = Refusal(
    3016, "retailer_assets_too_low", "售电公司资产总额低于下限", "the retailer's assets are below the minimum"
)
RETAILER_VOLUME_TOO_HIGH = Refusal(
    3017,
    "retailer_volume_too_high",
    "年售电量超过其资产总额所允许的规模",
    "the yearly volume is more than the retailer's assets allow",
)
RETAILER_STAFF_TOO_FEW = Refusal(
    3018, "retailer_staff_too_few", "售电公司专业人员不足", "the retailer has too few qualified staff"
)
STANDING_DOES_NOT_FIT = Refusal(
    3019, "standing_does_not_fit", "成员当前状态不允许此操作", "the member's standing does not allow this", 409
)
CHANGE_PENDING = Refusal(3020, "change_pending", "已有变更待审", "a change is already under review", 409)

REFUSALS: tuple[Refusal, ...] = (
    USCC_IN_USE,
    USCC_NEEDS_A_NOTE,
    OWN_CASE,
    NOTHING_TO_REVIEW,
    RETAILER_ASSETS_TOO_LOW,
    RETAILER_VOLUME_TOO_HIGH,
    RETAILER_STAFF_TOO_FEW,
    STANDING_DOES_NOT_FIT,
    CHANGE_PENDING,
)
EVENTS: tuple[type[Event], ...] = (
    MemberApplied,
    MemberEnrolled,
    ApplicationResubmitted,
    MemberReviewed,
    MemberNoticed,
    MemberActivated,
    ChangeRequested,
    MemberChanged,
)
REPLIES: tuple[type[Reply], ...] = (MemberReply,)
MESSAGES: tuple[type[Message], ...] = (ApplyMember, ResubmitApplication, ReviewMember, ChangeMember)
