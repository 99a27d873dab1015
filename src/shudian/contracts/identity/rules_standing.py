"""What is decided on a member's standing: suspension, exit and freeze, and the hook that calls freezes for review."""

from msgspec.structs import replace

from shudian.contracts.governance import rules as governance
from shudian.contracts.identity.messages import (
    FREEZE_STANDS,
    NOT_FROZEN,
    REVIEW_DAY_NOT_ALLOWED,
    ConfirmExit,
    ExitRequested,
    FreezeMember,
    FreezeReviewDue,
    MemberExited,
    MemberFrozen,
    MemberResumed,
    MemberSuspended,
    MemberUnfrozen,
    RequestExit,
    ResumeMember,
    Standing,
    SuspendMember,
    UnfreezeMember,
)
from shudian.contracts.identity.messages_registration import APPLICANT_KINDS, OWN_CASE
from shudian.contracts.identity.rules_registration import require_standing
from shudian.contracts.identity.rules_verbs import deed_of, member, require_kind
from shudian.contracts.identity.state import CHANGES, FREEZES, MEMBERS, Freeze
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.tables import next_id

FREEZE_REVIEW_DAY_COUNT = "identity.freeze_review_day_count"


def suspend_member(ctx: Context, message: SuspendMember) -> None:
    """Suspend a member. Refuses: 3001, 3004, 3019. Emits: MemberSuspended."""
    row = require_kind(ctx, message.member_id, APPLICANT_KINDS)
    require_standing(message.member_id, row, Standing.ACTIVE)
    # no refusal below this line
    MEMBERS.put(ctx, (message.member_id,), replace(row, standing=Standing.SUSPENDED))
    ctx.emit(
        MemberSuspended(
            deed=deed_of(message.member_id),
            parties=(message.member_id,),
            member_id=message.member_id,
            reason=message.reason,
        )
    )


def resume_member(ctx: Context, message: ResumeMember) -> None:
    """Let a suspended member trade again. Refuses: 3001, 3019. Emits: MemberResumed."""
    row = require_standing(message.member_id, member(ctx, message.member_id), Standing.SUSPENDED)
    # no refusal below this line
    MEMBERS.put(ctx, (message.member_id,), replace(row, standing=Standing.ACTIVE))
    ctx.emit(
        MemberResumed(
            deed=deed_of(message.member_id),
            parties=(message.member_id,),
            member_id=message.member_id,
            reason=message.reason,
        )
    )


def request_exit(ctx: Context, message: RequestExit) -> None:
    """Begin to leave the market. Refuses: 3019. Emits: ExitRequested."""
    member_id = ctx.sender_id
    row = require_standing(member_id, member(ctx, member_id), Standing.ACTIVE, Standing.SUSPENDED)
    # no refusal below this line
    MEMBERS.put(ctx, (member_id,), replace(row, standing=Standing.EXITING))
    ctx.emit(ExitRequested(deed=deed_of(member_id), parties=(member_id,), member_id=member_id, reason=message.reason))


def confirm_exit(ctx: Context, message: ConfirmExit) -> None:
    """Close a membership; a change under review falls away. Refuses: 3001, 3019. Emits: MemberExited."""
    row = require_standing(message.member_id, member(ctx, message.member_id), Standing.EXITING)
    # no refusal below this line
    MEMBERS.put(ctx, (message.member_id,), replace(row, standing=Standing.EXITED))
    if CHANGES.get(ctx, message.member_id) is not None:
        CHANGES.delete(ctx, message.member_id)
    ctx.emit(
        MemberExited(
            deed=deed_of(message.member_id),
            parties=(message.member_id,),
            member_id=message.member_id,
            reason=message.reason,
        )
    )


def freeze_member(ctx: Context, message: FreezeMember) -> None:
    """Freeze a member until it is lifted. Refuses: 3001, 3014, 3026, 3028. Emits: MemberFrozen."""
    row = member(ctx, message.member_id)
    if message.member_id == ctx.sender_id:
        raise OWN_CASE("member_id", message.member_id)
    if row.frozen:
        raise FREEZE_STANDS("member_id", message.member_id)
    today = clock.day_of(ctx.market_ms)
    last_day = clock.day_after(today, governance.setting(ctx, FREEZE_REVIEW_DAY_COUNT, today))
    if not today < message.review_day <= last_day:
        raise REVIEW_DAY_NOT_ALLOWED("review_day", message.review_day, f"{clock.day_after(today)}..{last_day}")
    # no refusal below this line
    MEMBERS.put(ctx, (message.member_id,), replace(row, frozen=True))
    freeze_no = next_id(ctx, "identity.freeze")
    FREEZES.put(ctx, (message.member_id,), Freeze(freeze_no, message.reason, message.review_day, told=False))
    ctx.emit(
        MemberFrozen(
            deed=deed_of(message.member_id),
            parties=(message.member_id, ctx.sender_id),
            member_id=message.member_id,
            freeze_no=freeze_no,
            reason=message.reason,
            review_day=message.review_day,
        )
    )


def unfreeze_member(ctx: Context, message: UnfreezeMember) -> None:
    """Lift a freeze. Refuses: 3001, 3027. Emits: MemberUnfrozen."""
    row = member(ctx, message.member_id)
    if not row.frozen:
        raise NOT_FROZEN("member_id", message.member_id)
    # no refusal below this line
    freeze_no = FREEZES.need(ctx, message.member_id).freeze_no
    MEMBERS.put(ctx, (message.member_id,), replace(row, frozen=False))
    FREEZES.delete(ctx, message.member_id)
    ctx.emit(
        MemberUnfrozen(
            deed=deed_of(message.member_id),
            parties=(message.member_id, ctx.sender_id),
            member_id=message.member_id,
            freeze_no=freeze_no,
            reason=message.reason,
        )
    )


def call_freeze_reviews(ctx: BlockContext) -> None:
    """Hook: tell once of each freeze whose review day has come. Emits: FreezeReviewDue."""
    for key, row in FREEZES.due(ctx, "by_review_day", clock.day_of(ctx.market_ms)):
        FREEZES.put(ctx, key, replace(row, told=True))
        member_id = int(key[0])
        ctx.emit(
            FreezeReviewDue(
                deed=deed_of(member_id),
                parties=(member_id,),
                member_id=member_id,
                freeze_no=row.freeze_no,
                review_day=row.review_day,
            )
        )
