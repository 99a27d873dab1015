"""What reviewers decide when a member's only admin has lost the key: a new person in the place, told to all."""

from shudian.contracts.identity.messages import ENDED, Standing
from shudian.contracts.identity.messages_persons import (
    ANOTHER_ADMIN_ACTS,
    PERSON_IS_NO_ADMIN,
    AdminReplaced,
    PersonReply,
    ReplaceAdmin,
)
from shudian.contracts.identity.messages_registration import OWN_CASE
from shudian.contracts.identity.rules_persons import (
    active_person,
    enter_person,
    refuse_known_key,
    refuse_known_person,
    retire_person,
)
from shudian.contracts.identity.rules_registration import require_standing
from shudian.contracts.identity.rules_verbs import deed_of, member
from shudian.contracts.identity.state import PERSONS, Person
from shudian.contracts.roles import Role
from shudian.kernel.contract import Context
from shudian.kernel.outcomes import both

LIVING = tuple(standing for standing in Standing if standing not in ENDED)


def replace_admin(ctx: Context, message: ReplaceAdmin) -> PersonReply:
    """Put a person with a new key in the place of a member's only admin. Refuses: 3001, 3011, 3014, 3019, 3021, 3022, 3030, 3031.

    Emits: KeyRevoked, PersonAdded, AdminReplaced. A frozen member stays frozen.
    """
    member_id, old_no = message.member_id, message.person_no
    row = member(ctx, member_id)
    if member_id == ctx.sender_id:
        raise OWN_CASE("member_id", member_id)
    require_standing(member_id, row, *LIVING)
    old = active_person(ctx, member_id, old_no)
    if Role.ADMIN not in old.roles:
        raise PERSON_IS_NO_ADMIN("person_no", old_no, Role.ADMIN)
    others = [
        (int(key[1]), person) for key, person in PERSONS.range(ctx, member_id) if person.active and key[1] != old_no
    ]
    for person_no, person in others:
        if Role.ADMIN in person.roles:
            raise ANOTHER_ADMIN_ACTS("person_no", old_no, both(f"第 {person_no} 号人员", f"person {person_no}"))
    refuse_known_person([person for _, person in others], message.person_digest)
    refuse_known_key(ctx, "new_public_key", message.new_public_key)
    # no refusal below this line
    retire_person(ctx, member_id, old_no, old, message.reason)
    new = Person(message.person_digest, message.new_public_key, old.roles, active=True)
    new_no = enter_person(ctx, member_id, row, new)
    ctx.emit(
        AdminReplaced(
            deed=deed_of(member_id),
            parties=(member_id,),
            member_id=member_id,
            old_person_no=old_no,
            new_person_no=new_no,
            decided_by_id=ctx.sender_id,
            evidence_digest=message.evidence_digest,
            reason=message.reason,
        )
    )
    return PersonReply(new_no)
