"""What identity tells: the public register, and each member's own file, reviews and freezes; persons: ``views_persons.py``."""

from shudian.contracts.identity import views_disclosures, views_persons
from shudian.contracts.identity.messages import (
    ExitRequested,
    FreezeReviewDue,
    MemberExited,
    MemberFrozen,
    MemberResumed,
    MemberSuspended,
    MemberUnfrozen,
    Standing,
)
from shudian.contracts.identity.messages_registration import (
    ApplicationResubmitted,
    ChangeRequested,
    Decision,
    MemberActivated,
    MemberApplied,
    MemberChanged,
    MemberEnrolled,
    MemberNoticed,
    MemberReviewed,
    Particulars,
)
from shudian.contracts.roles import OVERSIGHT
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import PUBLIC, At, ReadTable, Row, Views, blob, integer, parties, text
from shudian.reading.writer import Writer

MEMBERS = ReadTable(
    "identity_members",
    (
        integer("member_id", "成员编号", "member"),
        text("kind", "类别", "kind"),
        text("name_zh", "名称", "Chinese name"),
        text("name_en", "英文名称", "English name"),
        text("uscc", "统一社会信用代码", "credit code"),
        text("standing", "状态", "standing"),
        integer("frozen", "冻结", "frozen"),
        integer("assets_fen", "资产总额", "assets"),
        integer("annual_volume_kwh", "年售电量", "yearly volume"),
        integer("staff_count", "全职人员", "staff"),
        integer("senior_engineer_count", "高级职称", "senior engineers"),
        integer("mid_engineer_count", "中级职称", "mid-level engineers"),
        text("documents", "材料", "documents"),
        integer("change_pending", "变更待审", "change under review"),
        text("reason", "最近说明", "last reason given"),
        integer("applied_ms", "申请时间", "applied at"),
        integer("standing_ms", "状态时间", "in this standing since"),
    ),
    ("member_id",),
    parties("member_id", also=OVERSIGHT),
    (("standing",), ("uscc",)),
)
REGISTER = ReadTable(
    "identity_register",
    (
        integer("member_id", "成员编号", "member"),
        text("kind", "类别", "kind"),
        text("name_zh", "名称", "Chinese name"),
        text("name_en", "英文名称", "English name"),
        text("uscc", "统一社会信用代码", "credit code"),
        text("standing", "状态", "standing"),
        integer("frozen", "冻结", "frozen"),
        integer("notice_until_ms", "公示截止", "notice ends"),
    ),
    ("member_id",),
    PUBLIC,
    (("standing",),),
)
REVIEWS = ReadTable(
    "identity_reviews",
    (
        integer("review_no", "审核序号", "review"),
        integer("member_id", "成员编号", "member"),
        integer("change", "变更审核", "of a change"),
        text("decision", "结论", "decision"),
        text("checks", "逐项结果", "findings"),
        text("reason", "理由", "reason"),
        blob("documents_digest", "材料摘要", "digest of the documents"),
        integer("reviewed_ms", "审核时间", "reviewed at"),
    ),
    ("review_no",),
    parties("member_id", also=OVERSIGHT),
)
FREEZES = ReadTable(
    "identity_freezes",
    (
        integer("freeze_no", "冻结序号", "freeze"),
        integer("member_id", "成员编号", "member"),
        integer("frozen_ms", "冻结时间", "frozen at"),
        text("reason", "冻结理由", "reason"),
        integer("review_day", "复核日", "review day"),
        integer("review_due", "已到复核日", "review is due"),
        integer("lifted_ms", "解冻时间（0 为未解冻）", "lifted at (0: stands)"),
        text("lifted_reason", "解冻理由", "reason of lifting"),
    ),
    ("freeze_no",),
    parties("member_id", also=OVERSIGHT),
    (("lifted_ms", "review_due"),),
)


def _columns(particulars: Particulars) -> Row:
    declared = particulars.declared
    return {
        "name_zh": particulars.name_zh,
        "name_en": particulars.name_en,
        "assets_fen": declared.assets_fen,
        "annual_volume_kwh": declared.annual_volume_kwh,
        "staff_count": declared.staff_count,
        "senior_engineer_count": declared.senior_engineer_count,
        "mid_engineer_count": declared.mid_engineer_count,
        "documents": " ".join(f"{document.evidence}:{document.digest.hex()}" for document in particulars.documents),
    }


def _stand(db: Writer, member_id: int, standing: Standing, at: At, reason: str = "") -> None:
    db.update(MEMBERS, {"member_id": member_id}, standing=standing, standing_ms=at.market_ms, reason=reason)
    db.update(REGISTER, {"member_id": member_id}, standing=standing, notice_until_ms=0)


def _open_file(db: Writer, event: MemberApplied | MemberEnrolled, standing: Standing, at: At) -> None:
    db.insert(
        MEMBERS,
        member_id=event.member_id,
        kind=event.kind,
        uscc=event.uscc,
        standing=standing,
        frozen=0,
        change_pending=0,
        reason="",
        applied_ms=at.market_ms,
        standing_ms=at.market_ms,
        **_columns(event.particulars),
    )


def member_applied(db: Writer, event: MemberApplied, at: At) -> None:
    """Open the member's file."""
    _open_file(db, event, Standing.SUBMITTED, at)


def member_enrolled(db: Writer, event: MemberEnrolled, at: At) -> None:
    """Open the file of a member of genesis and enter it in the register."""
    _open_file(db, event, Standing.ACTIVE, at)
    db.insert(
        REGISTER,
        member_id=event.member_id,
        kind=event.kind,
        name_zh=event.particulars.name_zh,
        name_en=event.particulars.name_en,
        uscc=event.uscc,
        standing=Standing.ACTIVE,
        frozen=0,
        notice_until_ms=0,
    )


def application_resubmitted(db: Writer, event: ApplicationResubmitted, at: At) -> None:
    """Take over what was put right."""
    _stand(db, event.member_id, Standing.SUBMITTED, at)
    db.update(MEMBERS, {"member_id": event.member_id}, uscc=event.uscc, **_columns(event.particulars))


def member_reviewed(db: Writer, event: MemberReviewed, at: At) -> None:
    """Keep the review; an application that was turned down leaves the register."""
    db.insert(
        REVIEWS,
        review_no=event.review_no,
        member_id=event.member_id,
        change=int(event.change),
        decision=event.decision,
        checks="; ".join(
            f"{found.item}: {'+' if found.passed else '-'} {found.note}".rstrip() for found in event.checks
        ),
        reason=event.reason,
        documents_digest=event.documents_digest,
        reviewed_ms=at.market_ms,
    )
    if event.change:
        db.update(MEMBERS, {"member_id": event.member_id}, change_pending=0, reason=event.reason)
    elif event.decision != Decision.APPROVE:
        standing = Standing.RETURNED if event.decision == Decision.RETURN else Standing.REJECTED
        _stand(db, event.member_id, standing, at, event.reason)
        db.delete(REGISTER, {"member_id": event.member_id})


def member_noticed(db: Writer, event: MemberNoticed, at: At) -> None:
    """Enter the member in the register as on notice; a freeze laid on the applicant already is shown."""
    _stand(db, event.member_id, Standing.NOTICED, at)
    db.insert(
        REGISTER,
        member_id=event.member_id,
        kind=event.kind,
        name_zh=event.name_zh,
        name_en=event.name_en,
        uscc=event.uscc,
        standing=Standing.NOTICED,
        frozen=int(db.exists(MEMBERS, {"member_id": event.member_id, "frozen": 1})),
        notice_until_ms=event.notice_until_ms,
    )


def member_activated(db: Writer, event: MemberActivated, at: At) -> None:
    """The member is active."""
    _stand(db, event.member_id, Standing.ACTIVE, at)


def change_requested(db: Writer, event: ChangeRequested, _at: At) -> None:
    """Mark the change as waiting."""
    db.update(MEMBERS, {"member_id": event.member_id}, change_pending=1)


def member_changed(db: Writer, event: MemberChanged, _at: At) -> None:
    """Take over the change in file and register."""
    db.update(MEMBERS, {"member_id": event.member_id}, **_columns(event.particulars))
    names = {"name_zh": event.particulars.name_zh, "name_en": event.particulars.name_en}
    db.update(REGISTER, {"member_id": event.member_id}, **names)


def member_suspended(db: Writer, event: MemberSuspended, at: At) -> None:
    """The member is suspended."""
    _stand(db, event.member_id, Standing.SUSPENDED, at, event.reason)


def member_resumed(db: Writer, event: MemberResumed, at: At) -> None:
    """The member is active again."""
    _stand(db, event.member_id, Standing.ACTIVE, at, event.reason)


def exit_requested(db: Writer, event: ExitRequested, at: At) -> None:
    """The member is leaving."""
    _stand(db, event.member_id, Standing.EXITING, at, event.reason)


def member_exited(db: Writer, event: MemberExited, at: At) -> None:
    """The member has left; a change under review fell away."""
    _stand(db, event.member_id, Standing.EXITED, at, event.reason)
    db.update(MEMBERS, {"member_id": event.member_id}, change_pending=0)


def member_frozen(db: Writer, event: MemberFrozen, at: At) -> None:
    """Keep the freeze and mark the member."""
    _mark_frozen(db, event.member_id, 1)
    db.insert(
        FREEZES,
        freeze_no=event.freeze_no,
        member_id=event.member_id,
        frozen_ms=at.market_ms,
        reason=event.reason,
        review_day=event.review_day,
        review_due=0,
        lifted_ms=0,
        lifted_reason="",
    )


def member_unfrozen(db: Writer, event: MemberUnfrozen, at: At) -> None:
    """The freeze is lifted."""
    _mark_frozen(db, event.member_id, 0)
    db.update(FREEZES, {"freeze_no": event.freeze_no}, lifted_ms=at.market_ms, lifted_reason=event.reason)


def _mark_frozen(db: Writer, member_id: int, frozen: int) -> None:
    for table in (MEMBERS, REGISTER):
        db.update(table, {"member_id": member_id}, frozen=frozen)


def freeze_review_due(db: Writer, event: FreezeReviewDue, _at: At) -> None:
    """The freeze waits for its review."""
    db.update(FREEZES, {"freeze_no": event.freeze_no}, review_due=1)


def register(
    reader: Reader,
    viewer: Viewer,
    *,
    member_id: int | None = None,
    kind: str | None = None,
    standing: str | None = None,
    name: str | None = None,
) -> list[Row]:
    """The public register of members, those on public notice included; ``name``: part of the Chinese name."""
    part = None if name is None else f"%{name}%"
    where = {"member_id": member_id, "kind": kind, "standing": standing, "name_zh": ("LIKE", part)}
    return reader.select(viewer, REGISTER, where)


def notices(reader: Reader, viewer: Viewer) -> list[Row]:
    """Applications on public notice 公示, those that end first at the top."""
    where = {"standing": Standing.NOTICED}
    return reader.select(viewer, REGISTER, where, order_by="notice_until_ms, member_id")


def members(
    reader: Reader,
    viewer: Viewer,
    *,
    member_id: int | None = None,
    standing: str | None = None,
    uscc: str | None = None,
) -> list[Row]:
    """Files of members: one's own, or all for the overseers."""
    return reader.select(viewer, MEMBERS, {"member_id": member_id, "standing": standing, "uscc": uscc})


def reviews(reader: Reader, viewer: Viewer, *, member_id: int | None = None) -> list[Row]:
    """Reviews of applications and changes, oldest first."""
    return reader.select(viewer, REVIEWS, {"member_id": member_id})


def freezes(
    reader: Reader, viewer: Viewer, *, member_id: int | None = None, review_due: bool | None = None
) -> list[Row]:
    """Freezes; with ``review_due`` only those that still stand and wait (or do not yet wait) for their review."""
    due = None if review_due is None else int(review_due)
    stands = None if review_due is None else 0
    return reader.select(viewer, FREEZES, {"member_id": member_id, "review_due": due, "lifted_ms": stands})


VIEWS = Views(
    "identity",
    (
        MEMBERS,
        REGISTER,
        views_persons.PERSONS,
        views_persons.REPLACED_ADMINS,
        REVIEWS,
        FREEZES,
        views_disclosures.DISCLOSURES,
    ),
    {
        MemberApplied: member_applied,
        MemberEnrolled: member_enrolled,
        ApplicationResubmitted: application_resubmitted,
        MemberReviewed: member_reviewed,
        MemberNoticed: member_noticed,
        MemberActivated: member_activated,
        ChangeRequested: change_requested,
        MemberChanged: member_changed,
        MemberSuspended: member_suspended,
        MemberResumed: member_resumed,
        ExitRequested: exit_requested,
        MemberExited: member_exited,
        MemberFrozen: member_frozen,
        MemberUnfrozen: member_unfrozen,
        FreezeReviewDue: freeze_review_due,
        **views_persons.PROJECTIONS,
        **views_disclosures.PROJECTIONS,
    },
    (
        register,
        notices,
        members,
        views_persons.persons,
        views_persons.replaced_admins,
        reviews,
        freezes,
        views_disclosures.disclosures,
    ),
)
