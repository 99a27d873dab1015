"""What may be said about a member's persons and their keys, what happened, and the refusals."""

from collections.abc import Mapping
from typing import ClassVar

from shudian.contracts.identity.messages_registration import REASON_LONGEST
from shudian.contracts.roles import ALL_KINDS, Kind, Role
from shudian.kernel import fields
from shudian.kernel.crypto import is_sound_public_key
from shudian.kernel.messages import Authority, Event, Message
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply, both

PERSON_NO_MAX = 1_000_000

_TRADING_ROLES = (Role.ADMIN, Role.TRADER, Role.FINANCE)
ROLES_OF_KIND: Mapping[Kind, tuple[Role, ...]] = {
    Kind.GENERATOR: _TRADING_ROLES,
    Kind.RETAILER: _TRADING_ROLES,
    Kind.USER: _TRADING_ROLES,
    Kind.GRID_COMPANY: (*_TRADING_ROLES, Role.METER, Role.DISPATCHER),
    Kind.EXCHANGE: (Role.ADMIN, Role.FINANCE, Role.OPERATOR, Role.REVIEWER),
    Kind.BANK: (Role.ADMIN, Role.FINANCE, Role.TELLER),
    Kind.REGULATOR: (Role.ADMIN, Role.FINANCE, Role.REVIEWER, Role.OFFICER),
}
"""Roles that persons of each kind of member may hold."""


def _check_roles(roles: tuple[Role, ...]) -> None:
    fields.count("roles", roles, 1, len(Role))
    for place, role in enumerate(roles):
        if role in roles[:place]:
            raise FIELD_NOT_ALLOWED(f"roles[{place}]", role, both("每个岗位一次", "each role once"))


def _check_key(name: str, public_key: bytes) -> None:
    if not is_sound_public_key(public_key):
        raise FIELD_NOT_ALLOWED(
            name, public_key.hex()[:64], both("32 字节、规范、非小阶", "32 bytes, canonical, not of small order")
        )


class AddPerson(Message):
    """Add a person. person_digest: salted hash of the person's identity, 32 bytes; public_key: Ed25519, never used here before."""

    authority: ClassVar[Authority] = Authority(
        kinds=ALL_KINDS,
        role=Role.ADMIN,
        when_zh="密钥未被使用，岗位适用于该类成员，人数未超上限",
        when_en="the key was never used, the roles suit the kind of member, the number of persons is within its limit",
    )

    person_digest: bytes
    public_key: bytes
    roles: tuple[Role, ...]

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.digest("person_digest", self.person_digest)
        _check_key("public_key", self.public_key)
        _check_roles(self.roles)


class SetRoles(Message):
    """Set the roles of a person; one admin has to remain."""

    authority: ClassVar[Authority] = Authority(
        kinds=ALL_KINDS,
        role=Role.ADMIN,
        when_zh="岗位适用于该类成员，且至少保留一名管理员",
        when_en="the roles suit the kind of member and an admin remains",
    )

    person_no: int
    roles: tuple[Role, ...]

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("person_no", self.person_no, 1, PERSON_NO_MAX)
        _check_roles(self.roles)


class RotateKey(Message):
    """Put a new key in the place of one's own; signed by both, and by nobody else. Any person may, whatever the role."""

    authority: ClassVar[Authority] = Authority(
        kinds=ALL_KINDS,
        role="",
        when_zh="新旧两把密钥共同签名，新密钥从未使用",
        when_en="signed by the old and the new key; the new one was never used",
        active_only=False,
    )

    new_public_key: bytes

    def check(self) -> None:
        """Refuse malformed keys."""
        _check_key("new_public_key", self.new_public_key)


class RevokeKey(Message):
    """Take a person's key out of force, for good; the person leaves with it. One admin has to remain."""

    authority: ClassVar[Authority] = Authority(
        kinds=ALL_KINDS,
        role=Role.ADMIN,
        when_zh="该人员密钥有效，且至少保留一名管理员",
        when_en="the person's key is in force and an admin remains",
        active_only=False,
    )

    person_no: int
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("person_no", self.person_no, 1, PERSON_NO_MAX)
        fields.text("reason", self.reason, REASON_LONGEST)


class ReplaceAdmin(Message):
    """Put a person with a new key in the place of a member's only admin, whose key is lost, after looking at papers anew.

    person_no: the admin whose key is lost. person_digest: salted hash of the identity of who takes the place, the same person or
    another. evidence_digest: of the papers that show that the member asks for it. The member is told, and the register shows it to all.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE, Kind.REGULATOR),
        role=Role.REVIEWER,
        when_zh="两名审核员核验后共同签名，不是本单位，该人员是成员唯一的有效管理员，新密钥从未使用",
        when_en="two reviewers sign after verification, not in their own member's case; the person is the member's only active admin; "
        "the new key was never used",
        signers=2,
    )

    member_id: int
    person_no: int
    person_digest: bytes
    new_public_key: bytes
    evidence_digest: bytes
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("member_id", self.member_id, 1, fields.AMOUNT_MAX)
        fields.whole("person_no", self.person_no, 1, PERSON_NO_MAX)
        fields.digest("person_digest", self.person_digest)
        _check_key("new_public_key", self.new_public_key)
        fields.digest("evidence_digest", self.evidence_digest)
        fields.text("reason", self.reason, REASON_LONGEST)


class PersonReply(Reply):
    """The number of the person added, within its member."""

    person_no: int


class PersonAdded(Event):
    """A person was added with a key."""

    step: ClassVar[str] = "person_added"
    zh: ClassVar[str] = "已登记人员"
    en: ClassVar[str] = "person added"

    member_id: int
    person_no: int
    public_key: bytes
    roles: tuple[Role, ...]


class RolesSet(Event):
    """A person's roles were set."""

    step: ClassVar[str] = "roles_set"
    zh: ClassVar[str] = "岗位已调整"
    en: ClassVar[str] = "roles set"

    member_id: int
    person_no: int
    roles: tuple[Role, ...]


class KeyRotated(Event):
    """A person's key was replaced."""

    step: ClassVar[str] = "key_rotated"
    zh: ClassVar[str] = "密钥已更换"
    en: ClassVar[str] = "key rotated"

    member_id: int
    person_no: int
    old_public_key: bytes
    new_public_key: bytes


class KeyRevoked(Event):
    """A person's key was taken out of force."""

    step: ClassVar[str] = "key_revoked"
    zh: ClassVar[str] = "密钥已吊销"
    en: ClassVar[str] = "key revoked"

    member_id: int
    person_no: int
    public_key: bytes
    reason: str


class AdminReplaced(Event):
    """A member's only admin was replaced by reviewers of another member, because the key was lost. Everybody may see it in the register.

    decided_by_id: whose reviewers decided. evidence_digest: of the papers they looked at.
    """

    step: ClassVar[str] = "admin_replaced"
    zh: ClassVar[str] = "管理员已由审核方更换"
    en: ClassVar[str] = "admin replaced by reviewers"

    member_id: int
    old_person_no: int
    new_person_no: int
    decided_by_id: int
    evidence_digest: bytes
    reason: str


KEY_UNKNOWN = Refusal(3006, "key_unknown", "签名密钥未登记", "the signing key is not registered", 401, uses_id=False)
KEY_REVOKED = Refusal(
    3007, "key_revoked", "签名密钥已失效", "the signing key is no longer in force", 401, uses_id=False
)
KEY_OF_ANOTHER_MEMBER = Refusal(
    3008,
    "key_of_another_member",
    "签名密钥属于另一成员",
    "the signing key belongs to another member",
    403,
    uses_id=False,
)
ROLE_MISSING = Refusal(
    3009,
    "role_missing",
    "签名人没有所需岗位",
    "a signer does not hold the role that is needed",
    403,
    uses_id=False,
)
SIGNERS_DO_NOT_FIT = Refusal(
    3010,
    "signers_do_not_fit",
    "签名人数不符合要求",
    "the number of signers is not what is needed",
    403,
    uses_id=False,
)
KEY_IN_USE = Refusal(3011, "key_in_use", "该密钥已登记过", "the key was registered before", 409)
PERSON_UNKNOWN = Refusal(3021, "person_unknown", "没有这名有效人员", "there is no such active person", 404)
PERSON_KNOWN = Refusal(3022, "person_known", "该人员已登记", "the person is registered already", 409)
ROLE_NOT_FOR_KIND = Refusal(3023, "role_not_for_kind", "该类成员不设此岗位", "members of that kind have no such role")
LAST_ADMIN = Refusal(3024, "last_admin", "至少保留一名管理员", "one admin has to remain", 409)
NEW_KEY_DID_NOT_SIGN = Refusal(3025, "new_key_did_not_sign", "新密钥没有签名", "the new key did not sign", 401)
PERSONS_TOO_MANY = Refusal(
    3029, "persons_too_many", "有效人员已达上限", "the member has as many active persons as allowed", 409
)
PERSON_IS_NO_ADMIN = Refusal(
    3030, "person_is_no_admin", "该人员不是管理员", "the person is no admin of the member", 409
)
ANOTHER_ADMIN_ACTS = Refusal(
    3031,
    "another_admin_acts",
    "成员另有有效的管理员，应由其办理",
    "the member has another active admin, who can do it",
    409,
)

REFUSALS: tuple[Refusal, ...] = (
    KEY_UNKNOWN,
    KEY_REVOKED,
    KEY_OF_ANOTHER_MEMBER,
    ROLE_MISSING,
    SIGNERS_DO_NOT_FIT,
    KEY_IN_USE,
    PERSON_UNKNOWN,
    PERSON_KNOWN,
    ROLE_NOT_FOR_KIND,
    LAST_ADMIN,
    NEW_KEY_DID_NOT_SIGN,
    PERSONS_TOO_MANY,
    PERSON_IS_NO_ADMIN,
    ANOTHER_ADMIN_ACTS,
)
EVENTS: tuple[type[Event], ...] = (PersonAdded, RolesSet, KeyRotated, KeyRevoked, AdminReplaced)
REPLIES: tuple[type[Reply], ...] = (PersonReply,)
MESSAGES: tuple[type[Message], ...] = (AddPerson, SetRoles, RotateKey, RevokeKey, ReplaceAdmin)
