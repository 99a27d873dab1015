"""Identity as the contracts above see it: its verbs, the machine's port, genesis, and the contract itself.

The rules stand by noun: ``rules_registration`` (applications, changes), ``rules_standing`` (suspension, exit, freeze), ``rules_persons``
(persons, keys), ``rules_recovery`` (lost keys), ``rules_disclosures``, ``rules_authority`` (the port), ``rules_verbs``.
"""

from collections.abc import Mapping
from typing import Any

from shudian.contracts.identity import messages_codes as codes
from shudian.contracts.identity.messages import (
    EVENTS,
    REFUSALS,
    REPLIES,
    SETTINGS,
    ConfirmExit,
    FreezeMember,
    Member,
    RequestExit,
    ResumeMember,
    Standing,
    SuspendMember,
    UnfreezeMember,
)
from shudian.contracts.identity.messages_disclosures import RecordDisclosure
from shudian.contracts.identity.messages_persons import AddPerson, ReplaceAdmin, RevokeKey, RotateKey, SetRoles
from shudian.contracts.identity.messages_registration import (
    NAME_LONGEST,
    ApplyMember,
    ChangeMember,
    Declared,
    MemberActivated,
    MemberEnrolled,
    Particulars,
    ResubmitApplication,
    ReviewMember,
)
from shudian.contracts.identity.rules_authority import authorise
from shudian.contracts.identity.rules_disclosures import record_disclosure
from shudian.contracts.identity.rules_persons import (
    add_person,
    enter_person,
    refuse_known_key,
    refuse_roles,
    revoke_key,
    rotate_key,
    set_roles,
)
from shudian.contracts.identity.rules_recovery import replace_admin
from shudian.contracts.identity.rules_registration import (
    apply_member,
    change_member,
    end_notices,
    refuse_known_uscc,
    resubmit_application,
    review_member,
)
from shudian.contracts.identity.rules_standing import (
    call_freeze_reviews,
    confirm_exit,
    freeze_member,
    request_exit,
    resume_member,
    suspend_member,
    unfreeze_member,
)
from shudian.contracts.identity.rules_verbs import (
    barred,
    deed_of,
    is_good,
    member,
    member_of_key,
    require_good,
    require_kind,
    the_only,
)
from shudian.contracts.identity.state import INVARIANTS, MEMBERS, TABLES, Person
from shudian.contracts.roles import Kind, Role
from shudian.kernel import fields
from shudian.kernel.contract import BlockContext, Contract
from shudian.kernel.tables import next_id

__all__ = [
    "CONTRACT",
    "authorise",
    "barred",
    "is_good",
    "member",
    "member_of_key",
    "require_good",
    "require_kind",
    "the_only",
]


def genesis_in(ctx: BlockContext, section: Mapping[str, Any]) -> None:
    """Take in ``members``, numbered from 1 in their order and active at once.

    Each has kind, name_zh, name_en, uscc, persons (public_key in hex, roles), and may have ``declared`` numbers. Refuses: 1011, 3011,
    3012, 3023.
    """
    for entry in section.get("members", ()):
        _enrol(ctx, entry)


def _enrol(ctx: BlockContext, entry: Mapping[str, Any]) -> None:
    kind, uscc = Kind(entry["kind"]), entry["uscc"]
    codes.check_uscc(uscc)
    fields.text("name_zh", entry["name_zh"], NAME_LONGEST)
    fields.text("name_en", entry["name_en"], NAME_LONGEST)
    refuse_known_uscc(ctx, uscc)
    member_id = next_id(ctx, "identity.member")
    particulars = Particulars(entry["name_zh"], entry["name_en"], b"", (), Declared(**entry.get("declared", {})))
    MEMBERS.put(ctx, (member_id,), Member(kind, uscc, Standing.ACTIVE, False, particulars, 0))
    deed, parties = deed_of(member_id), (member_id,)
    ctx.emit(
        MemberEnrolled(deed=deed, parties=parties, member_id=member_id, kind=kind, uscc=uscc, particulars=particulars)
    )
    ctx.emit(MemberActivated(deed=deed, parties=parties, member_id=member_id))
    for person in entry["persons"]:
        public_key, roles = bytes.fromhex(person["public_key"]), tuple(Role(role) for role in person["roles"])
        message = AddPerson(bytes(32), public_key, roles)
        message.check()
        refuse_roles(kind, roles)
        refuse_known_key(ctx, "public_key", public_key)
        enter_person(ctx, member_id, MEMBERS.need(ctx, member_id), Person(b"", public_key, roles, active=True))


CONTRACT = Contract(
    name="identity",
    number=3,
    tables=TABLES,
    handlers={
        ApplyMember: apply_member,
        ResubmitApplication: resubmit_application,
        ReviewMember: review_member,
        ChangeMember: change_member,
        SuspendMember: suspend_member,
        ResumeMember: resume_member,
        RequestExit: request_exit,
        ConfirmExit: confirm_exit,
        FreezeMember: freeze_member,
        UnfreezeMember: unfreeze_member,
        AddPerson: add_person,
        SetRoles: set_roles,
        RotateKey: rotate_key,
        RevokeKey: revoke_key,
        ReplaceAdmin: replace_admin,
        RecordDisclosure: record_disclosure,
    },
    events=EVENTS,
    refusals=REFUSALS,
    replies=REPLIES,
    hooks=(end_notices, call_freeze_reviews),
    invariants=INVARIANTS,
    settings=SETTINGS,
    genesis_in=genesis_in,
)
