"""What is decided on applications and changes, and the hook that ends public notices."""

from msgspec.structs import replace

from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import messages_codes as codes
from shudian.contracts.identity.messages import Member, Standing
from shudian.contracts.identity.messages_registration import (
    CHANGE_PENDING,
    NOTHING_TO_REVIEW,
    OWN_CASE,
    RETAILER_ASSETS_TOO_LOW,
    RETAILER_STAFF_TOO_FEW,
    RETAILER_VOLUME_TOO_HIGH,
    STANDING_DOES_NOT_FIT,
    USCC_IN_USE,
    USCC_NEEDS_A_NOTE,
    ApplicationResubmitted,
    ApplyMember,
    ChangeMember,
    ChangeRequested,
    Decision,
    Declared,
    Item,
    MemberActivated,
    MemberApplied,
    MemberChanged,
    MemberNoticed,
    MemberReply,
    MemberReviewed,
    Particulars,
    ResubmitApplication,
    ReviewMember,
)
from shudian.contracts.identity.rules_persons import enter_person
from shudian.contracts.identity.rules_verbs import deed_of, member
from shudian.contracts.identity.state import CHANGES, MEMBERS, Change, Person
from shudian.contracts.roles import Kind, Role
from shudian.kernel import clock
from shudian.kernel.codec import encode
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.crypto import sha256
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, next_id

NOTICE_DAY_COUNT = "identity.notice_day_count"
RETAILER_ASSETS = "identity.retailer_tiers_assets_fen"
RETAILER_VOLUME = "identity.retailer_tiers_kwh"
RETAILER_STAFF = "identity.retailer_staff_count"


def apply_member(ctx: Context, message: ApplyMember) -> MemberReply:
    """Take in an application. Refuses: 3012. Emits: MemberApplied, PersonAdded."""
    refuse_known_uscc(ctx, message.uscc)
    # no refusal below this line
    member_id = next_id(ctx, "identity.member")
    row = Member(message.kind, message.uscc, Standing.SUBMITTED, False, message.particulars, 0)
    ctx.emit(
        MemberApplied(
            deed=deed_of(member_id),
            parties=(member_id,),
            member_id=member_id,
            kind=message.kind,
            uscc=message.uscc,
            particulars=message.particulars,
        )
    )
    person = Person(message.person_digest, ctx.signers[0], (Role.ADMIN,), active=True)
    enter_person(ctx, member_id, row, person)
    return MemberReply(member_id)


def resubmit_application(ctx: Context, message: ResubmitApplication) -> None:
    """Take in a returned application again. Refuses: 3012, 3019. Emits: ApplicationResubmitted."""
    member_id = ctx.sender_id
    row = require_standing(member_id, member(ctx, member_id), Standing.RETURNED)
    if message.uscc != row.uscc:
        refuse_known_uscc(ctx, message.uscc)
    # no refusal below this line
    after = replace(row, standing=Standing.SUBMITTED, uscc=message.uscc, particulars=message.particulars)
    MEMBERS.put(ctx, (member_id,), after)
    ctx.emit(
        ApplicationResubmitted(
            deed=deed_of(member_id),
            parties=(member_id,),
            member_id=member_id,
            uscc=message.uscc,
            particulars=message.particulars,
        )
    )


def change_member(ctx: Context, message: ChangeMember) -> None:
    """Put a change of the particulars up for review. Refuses: 3019, 3020. Emits: ChangeRequested."""
    member_id = ctx.sender_id
    require_standing(member_id, member(ctx, member_id), Standing.ACTIVE, Standing.SUSPENDED)
    if CHANGES.get(ctx, member_id) is not None:
        raise CHANGE_PENDING("member_id", member_id)
    # no refusal below this line
    CHANGES.put(ctx, (member_id,), Change(message.particulars))
    ctx.emit(
        ChangeRequested(
            deed=deed_of(member_id), parties=(member_id,), member_id=member_id, particulars=message.particulars
        )
    )


def review_member(ctx: Context, message: ReviewMember) -> None:
    """Decide on an application, or else on a change.

    Refuses: 3001, 3013-3018. Emits: MemberReviewed, then MemberNoticed or MemberChanged if approved.
    """
    row = member(ctx, message.member_id)
    if message.member_id == ctx.sender_id:
        raise OWN_CASE("member_id", message.member_id)
    change = CHANGES.get(ctx, message.member_id)
    if change is not None:
        _review_change(ctx, message, row, change)
    elif row.standing == Standing.SUBMITTED or (
        row.standing == Standing.NOTICED and message.decision != Decision.APPROVE
    ):
        _review_application(ctx, message, row)
    else:
        raise NOTHING_TO_REVIEW("member_id", f"{message.member_id} {row.standing}")


def _review_application(ctx: Context, message: ReviewMember, row: Member) -> None:
    approved = message.decision == Decision.APPROVE
    if approved:
        _refuse_approval(ctx, row, row.particulars, message)
        today = clock.day_of(ctx.market_ms)
        day_count = governance.setting(ctx, NOTICE_DAY_COUNT, today, row.kind)
        after = replace(row, standing=Standing.NOTICED, notice_until_ms=clock.ms_at(clock.day_after(today, day_count)))
    else:
        standing = Standing.RETURNED if message.decision == Decision.RETURN else Standing.REJECTED
        after = replace(row, standing=standing, notice_until_ms=0)
    # no refusal below this line
    MEMBERS.put(ctx, (message.member_id,), after)
    _tell_review(ctx, message, row.particulars, change=False)
    if approved:
        ctx.emit(
            MemberNoticed(
                deed=deed_of(message.member_id),
                parties=(message.member_id,),
                member_id=message.member_id,
                kind=row.kind,
                uscc=row.uscc,
                name_zh=row.name_zh,
                name_en=row.name_en,
                notice_until_ms=after.notice_until_ms,
            )
        )


def _review_change(ctx: Context, message: ReviewMember, row: Member, change: Change) -> None:
    approved = message.decision == Decision.APPROVE
    if approved:
        _refuse_approval(ctx, row, change.particulars, message)
    # no refusal below this line
    CHANGES.delete(ctx, message.member_id)
    _tell_review(ctx, message, change.particulars, change=True)
    if approved:
        MEMBERS.put(ctx, (message.member_id,), replace(row, particulars=change.particulars))
        ctx.emit(
            MemberChanged(
                deed=deed_of(message.member_id),
                parties=(message.member_id,),
                member_id=message.member_id,
                particulars=change.particulars,
            )
        )


def _tell_review(ctx: Context, message: ReviewMember, particulars: Particulars, *, change: bool) -> None:
    ctx.emit(
        MemberReviewed(
            deed=deed_of(message.member_id),
            parties=(message.member_id,),
            member_id=message.member_id,
            review_no=next_id(ctx, "identity.review"),
            change=change,
            decision=message.decision,
            checks=message.checks,
            reason=message.reason,
            documents_digest=sha256(encode(particulars.documents)),
        )
    )


def _refuse_approval(ctx: Context, row: Member, particulars: Particulars, message: ReviewMember) -> None:
    noted = any(found.item == Item.USCC and found.note for found in message.checks)
    if not noted and not codes.uscc_check_fits(row.uscc):
        raise USCC_NEEDS_A_NOTE("checks", row.uscc, both("对 uscc 一项附说明", "a note on the item uscc"))
    if row.kind == Kind.RETAILER:
        _refuse_unfit_retailer(ctx, particulars.declared)


def _refuse_unfit_retailer(ctx: Context, declared: Declared) -> None:
    # 《售电公司管理办法》发改体改规〔2021〕1595号: the assets decide the yearly volume, in three tiers, the last without a limit.
    today = clock.day_of(ctx.market_ms)
    tiers_fen = governance.setting_values(ctx, RETAILER_ASSETS, today)
    limits_kwh = governance.setting_values(ctx, RETAILER_VOLUME, today)
    if declared.assets_fen < tiers_fen[0]:
        raise RETAILER_ASSETS_TOO_LOW("assets_fen", declared.assets_fen, f">= {tiers_fen[0]}")
    for next_tier_fen, limit_kwh in zip(tiers_fen[1:], limits_kwh, strict=True):
        if declared.assets_fen < next_tier_fen and declared.annual_volume_kwh > limit_kwh:
            raise RETAILER_VOLUME_TOO_HIGH("annual_volume_kwh", declared.annual_volume_kwh, f"<= {limit_kwh}")
    least_counts = governance.setting_values(ctx, RETAILER_STAFF, today)
    had = (declared.staff_count, declared.senior_engineer_count, declared.mid_engineer_count)
    names = ("staff_count", "senior_engineer_count", "mid_engineer_count")
    for name, count, least_count in zip(names, had, least_counts, strict=True):
        if count < least_count:
            raise RETAILER_STAFF_TOO_FEW(name, count, f">= {least_count}")


def end_notices(ctx: BlockContext) -> None:
    """Hook: members whose public notice is over become active. Emits: MemberActivated."""
    for key, row in MEMBERS.due(ctx, "by_notice", ctx.market_ms):
        MEMBERS.put(ctx, key, replace(row, standing=Standing.ACTIVE, notice_until_ms=0))
        member_id = int(key[0])
        ctx.emit(MemberActivated(deed=deed_of(member_id), parties=(member_id,), member_id=member_id))


def refuse_known_uscc(at: HasStore, uscc: str) -> None:
    """Refuses: 3012 if a membership that is neither rejected nor exited has the code."""
    if any(True for _ in MEMBERS.find(at, "by_uscc", uscc)):
        raise USCC_IN_USE("uscc", uscc, both("没有存续成员使用的代码", "a code without a living membership"))


def require_standing(member_id: int, row: Member, *standings: Standing) -> Member:
    """The row, if its standing is one of those. Refuses: 3019."""
    if row.standing not in standings:
        raise STANDING_DOES_NOT_FIT("member_id", f"{member_id} {row.standing}", " | ".join(standings))
    return row
