"""Members as the contracts above see them, what may be said about their standing, and all that identity says and settles.

Joining and changing: ``messages_registration.py``; persons and keys: ``messages_persons.py``;
disclosures: ``messages_disclosures.py``.
"""

from enum import StrEnum
from typing import ClassVar

from shudian.contracts.identity import messages_disclosures, messages_persons, messages_registration
from shudian.contracts.identity.messages_registration import APPLICANT_KINDS, REASON_LONGEST, Particulars
from shudian.contracts.roles import Kind, Role
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import Authority, Event, Message, Setting
from shudian.kernel.outcomes import Refusal, Reply

RETAILER_RULE = "《售电公司管理办法》发改体改规〔2021〕1595号"

SETTINGS = (
    Setting(
        "identity.notice_day_count",
        0,
        90,
        "注册公示天数（按成员类别）",
        "days of public notice, by kind of member",
        scoped=True,
        source="《电力市场注册基本规则》（国家能源局，2024-09）",
    ),
    Setting(
        "identity.freeze_review_day_count",
        1,
        366,
        "冻结后最迟复核天数",
        "days within which a freeze has to be reviewed",
        source="电力监管条例；平台规则",
    ),
    Setting(
        "identity.persons_max_count",
        1,
        10_000,
        "每个成员的有效人员上限",
        "active persons per member at most",
        source="平台规则",
    ),
    Setting(
        "identity.retailer_tiers_assets_fen",
        0,
        10**15,
        "售电公司资产总额分档下限",
        "assets at which each of the retailer's three tiers begins",
        count=3,
        source=RETAILER_RULE,
    ),
    Setting(
        "identity.retailer_tiers_kwh",
        0,
        10**15,
        "售电公司第一、二档年售电量上限（第三档不限）",
        "yearly volume allowed in the first and second tier; the third has no limit",
        count=2,
        source=RETAILER_RULE,
    ),
    Setting(
        "identity.retailer_staff_count",
        0,
        10_000,
        "售电公司人员下限：全职、高级职称、中级职称",
        "a retailer's least staff: full-time, senior engineers, mid-level engineers",
        count=3,
        source=RETAILER_RULE,
    ),
)


class Standing(StrEnum):
    """Where a membership stands; a freeze is a flag beside it."""

    SUBMITTED = "submitted"
    """待审核"""
    RETURNED = "returned"
    """退回补正"""
    REJECTED = "rejected"
    """不予注册"""
    NOTICED = "noticed"
    """公示"""
    ACTIVE = "active"
    """正常"""
    SUSPENDED = "suspended"
    """暂停"""
    EXITING = "exiting"
    """退市办理中"""
    EXITED = "exited"
    """已注销"""


ENDED = (Standing.REJECTED, Standing.EXITED)
"""Standings from which nothing follows; the company may apply anew."""


class Member(Record):
    """A member as the contracts above see it.

    particulars: as last approved (as submitted until then). last_person_no: numbers of persons given so far. notice_until_ms: end of
    the public notice while it runs, else 0.
    """

    kind: Kind
    uscc: str
    standing: Standing
    frozen: bool
    particulars: Particulars
    last_person_no: int
    notice_until_ms: int = 0

    @property
    def name_zh(self) -> str:
        """Registered name."""
        return self.particulars.name_zh

    @property
    def name_en(self) -> str:
        """English name."""
        return self.particulars.name_en


class _MemberCase(Message):
    """Fields of a decision on a member. reason: told to the member."""

    member_id: int
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("member_id", self.member_id, 1, fields.AMOUNT_MAX)
        fields.text("reason", self.reason, REASON_LONGEST)


class SuspendMember(_MemberCase):
    """Suspend an active member: it may no longer trade."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.REVIEWER,
        when_zh="成员状态正常，且不是市场机构",
        when_en="an active member that is not an institution of the market",
    )


class ResumeMember(_MemberCase):
    """Let a suspended member trade again."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,), role=Role.REVIEWER, when_zh="成员处于暂停状态", when_en="a suspended member"
    )


class RequestExit(Message):
    """Ask to leave the market; from now on the member takes on nothing new."""

    authority: ClassVar[Authority] = Authority(
        kinds=APPLICANT_KINDS,
        role=Role.ADMIN,
        when_zh="正常或暂停的成员",
        when_en="an active or suspended member",
        active_only=False,
    )

    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.text("reason", self.reason, REASON_LONGEST)


class ConfirmExit(_MemberCase):
    """Close a membership once the exchange found its contracts delivered and its bills paid."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,), role=Role.REVIEWER, when_zh="成员正在办理退市", when_en="a member that asked to leave"
    )


class FreezeMember(_MemberCase):
    """Freeze a member by order of the regulator: none of its messages is carried out. review_day: when the freeze is looked at again."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.REGULATOR,),
        role=Role.OFFICER,
        when_zh="成员未被冻结、不是本单位，复核日在允许期限内",
        when_en="a member not frozen and not oneself; the review day lies within the allowed term",
    )

    review_day: int

    def check(self) -> None:
        """Refuse malformed fields."""
        _MemberCase.check(self)
        fields.day("review_day", self.review_day)


class UnfreezeMember(_MemberCase):
    """Lift a freeze."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.REGULATOR,), role=Role.OFFICER, when_zh="成员已被冻结", when_en="a frozen member"
    )


class MemberSuspended(Event):
    """A member was suspended."""

    step: ClassVar[str] = "suspended"
    zh: ClassVar[str] = "已暂停"
    en: ClassVar[str] = "suspended"

    member_id: int
    reason: str


class MemberResumed(Event):
    """A suspended member may trade again."""

    step: ClassVar[str] = "resumed"
    zh: ClassVar[str] = "已恢复"
    en: ClassVar[str] = "resumed"

    member_id: int
    reason: str


class ExitRequested(Event):
    """A member asked to leave."""

    step: ClassVar[str] = "exit_requested"
    zh: ClassVar[str] = "已申请退市"
    en: ClassVar[str] = "exit requested"

    member_id: int
    reason: str


class MemberExited(Event):
    """A membership was closed."""

    step: ClassVar[str] = "exited"
    zh: ClassVar[str] = "已注销"
    en: ClassVar[str] = "exited"

    member_id: int
    reason: str


class MemberFrozen(Event):
    """A member was frozen by order of the regulator. freeze_no: of all freezes."""

    step: ClassVar[str] = "frozen"
    zh: ClassVar[str] = "已冻结"
    en: ClassVar[str] = "frozen"

    member_id: int
    freeze_no: int
    reason: str
    review_day: int


class MemberUnfrozen(Event):
    """A freeze was lifted."""

    step: ClassVar[str] = "unfrozen"
    zh: ClassVar[str] = "已解冻"
    en: ClassVar[str] = "freeze lifted"

    member_id: int
    freeze_no: int
    reason: str


class FreezeReviewDue(Event):
    """The review day of a freeze has come and the freeze still stands; told once."""

    step: ClassVar[str] = "freeze_review_due"
    zh: ClassVar[str] = "冻结已到复核日"
    en: ClassVar[str] = "review of the freeze is due"

    member_id: int
    freeze_no: int
    review_day: int


MEMBER_UNKNOWN = Refusal(3001, "member_unknown", "没有这个成员", "there is no such member", 404)
MEMBER_NOT_ACTIVE = Refusal(3002, "member_not_active", "成员状态不是正常", "the member is not active", 403, retry=True)
MEMBER_FROZEN = Refusal(
    3003, "member_frozen", "成员已被监管机构冻结", "the member is frozen by the regulator", 403, retry=True
)
KIND_NOT_ALLOWED = Refusal(
    3004, "kind_not_allowed", "该类成员不可进行此操作", "members of that kind may not do this", 403
)
NOT_THE_ONLY_ONE = Refusal(
    3005,
    "not_the_only_one",
    "该类机构应恰有一家正常成员",
    "there has to be exactly one active member of that kind",
    409,
    retry=True,
)
FREEZE_STANDS = Refusal(3026, "freeze_stands", "成员已处于冻结状态", "the member is frozen already", 409)
NOT_FROZEN = Refusal(3027, "not_frozen", "成员未被冻结", "the member is not frozen", 409)
REVIEW_DAY_NOT_ALLOWED = Refusal(
    3028, "review_day_not_allowed", "复核日不在允许的期限内", "the review day is outside the allowed term"
)

REFUSALS: tuple[Refusal, ...] = (
    MEMBER_UNKNOWN,
    MEMBER_NOT_ACTIVE,
    MEMBER_FROZEN,
    KIND_NOT_ALLOWED,
    NOT_THE_ONLY_ONE,
    FREEZE_STANDS,
    NOT_FROZEN,
    REVIEW_DAY_NOT_ALLOWED,
    *messages_registration.REFUSALS,
    *messages_persons.REFUSALS,
)
EVENTS: tuple[type[Event], ...] = (
    *messages_registration.EVENTS,
    MemberSuspended,
    MemberResumed,
    ExitRequested,
    MemberExited,
    MemberFrozen,
    MemberUnfrozen,
    FreezeReviewDue,
    *messages_persons.EVENTS,
    *messages_disclosures.EVENTS,
)
REPLIES: tuple[type[Reply], ...] = (
    *messages_registration.REPLIES,
    *messages_persons.REPLIES,
    *messages_disclosures.REPLIES,
)
MESSAGES: tuple[type[Message], ...] = (
    *messages_registration.MESSAGES,
    SuspendMember,
    ResumeMember,
    RequestExit,
    ConfirmExit,
    FreezeMember,
    UnfreezeMember,
    *messages_persons.MESSAGES,
    *messages_disclosures.MESSAGES,
)
