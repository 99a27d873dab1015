"""What identity tells, and to whom."""

from collections.abc import Iterator

import pytest

from shudian.contracts.identity import views, views_persons
from shudian.contracts.identity.messages import ConfirmExit, FreezeMember, RequestExit, SuspendMember, UnfreezeMember
from shudian.contracts.identity.messages_persons import AddPerson, ReplaceAdmin, RevokeKey, RotateKey, SetRoles
from shudian.contracts.identity.messages_registration import ChangeMember, Decision, ResubmitApplication
from shudian.contracts.identity.rules import CONTRACT
from shudian.contracts.roles import OVERSIGHT, Kind, Role
from shudian.kernel.clock import DAY_MS
from shudian.kernel.machine import Applied
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC, Viewer
from tests.support.ledger import Ledger, key_of
from tests.unit.test_identity import (
    DIGEST,
    EXCHANGE,
    GENERATOR,
    MEMBERS,
    OFFICER,
    REGULATOR,
    RETAILER,
    REVIEWER,
    applied,
    approve,
    code,
    market,
    particulars,
    turn_down,
)

OVERSEER = Viewer(EXCHANGE, Kind.EXCHANGE)
OWNER = Viewer(GENERATOR, Kind.GENERATOR)
OTHER = Viewer(RETAILER, Kind.RETAILER)


class Told:
    """A market whose every block is projected."""

    def __init__(self) -> None:
        self.projector = Projector(None, (views.VIEWS,), OVERSIGHT)
        self.reader = self.projector.reader
        self.book = market()
        self._keep = self.book._keep
        self._project(self.book.last)
        self.book._keep = self._tell  # type: ignore[method-assign] # the test listens to every block

    def _tell(self, applied: Applied) -> Applied:
        self._project(self._keep(applied))
        return applied

    def _project(self, block: Applied) -> None:
        self.projector.project(self.projector.height + 1, block.market_ms, (), block.events)


@pytest.fixture
def told() -> Iterator[Told]:
    market_told = Told()
    yield market_told
    market_told.projector.close()


def later(book: Ledger, days: int) -> None:
    book.advance(book.now_ms + days * DAY_MS)


def test_every_event_has_its_projection() -> None:
    assert set(views.VIEWS.projections) == set(CONTRACT.events)


def test_members_of_genesis_stand_in_the_public_register(told: Told) -> None:
    rows = views.register(told.reader, THE_PUBLIC)
    assert [row["uscc"] for row in rows] == [member["uscc"] for member in MEMBERS]
    assert {row["standing"] for row in rows} == {"active"}
    assert [row["member_id"] for row in views.register(told.reader, THE_PUBLIC, name="成员5")] == [GENERATOR]


def test_an_application_is_public_from_its_notice_on(told: Told) -> None:
    book, reader = told.book, told.reader
    member_id = applied(book)
    assert len(views.register(reader, THE_PUBLIC)) == len(MEMBERS)
    book.done(EXCHANGE, turn_down(member_id, Decision.RETURN), REVIEWER)
    (row,) = views.members(reader, OVERSEER, standing="returned")
    assert (row["reason"], row["member_id"]) == ("许可证已过期", member_id)
    book.done(member_id, ResubmitApplication(code(51), particulars("改正后的名称")), "new-admin")
    book.done(EXCHANGE, approve(member_id), REVIEWER)
    (row,) = views.notices(reader, THE_PUBLIC)
    assert (row["name_zh"], row["uscc"]) == ("改正后的名称", code(51))
    later(book, 7)
    assert views.notices(reader, THE_PUBLIC) == []
    (row,) = views.register(reader, THE_PUBLIC, kind="generator", name="改正")
    assert (row["standing"], row["notice_until_ms"]) == ("active", 0)
    assert [row["decision"] for row in views.reviews(reader, OVERSEER, member_id=member_id)] == ["return", "approve"]


def test_an_application_turned_down_on_notice_leaves_the_register(told: Told) -> None:
    member_id = applied(told.book)
    told.book.done(EXCHANGE, approve(member_id), REVIEWER)
    told.book.done(EXCHANGE, turn_down(member_id, Decision.REJECT), REVIEWER)
    assert views.notices(told.reader, THE_PUBLIC) == []
    assert len(views.register(told.reader, THE_PUBLIC)) == len(MEMBERS)


def test_two_reviews_in_one_envelope_are_both_told(told: Told) -> None:
    member_id = applied(told.book)
    both = told.book.envelope(EXCHANGE, approve(member_id), turn_down(member_id, Decision.REJECT), signers=(REVIEWER,))
    (outcomes,) = told.book.apply(both)
    assert all(outcome.done for outcome in outcomes)
    assert len(views.reviews(told.reader, OVERSEER, member_id=member_id)) == 2


def test_a_change_shows_in_file_and_register_once_approved(told: Told) -> None:
    book, reader = told.book, told.reader
    book.done(GENERATOR, ChangeMember(particulars("新名称")), "gen-admin")
    (row,) = views.members(reader, OWNER)
    assert (row["name_zh"], row["change_pending"]) == ("成员5", 1)
    book.done(EXCHANGE, approve(GENERATOR), REVIEWER)
    (row,) = views.members(reader, OWNER)
    assert (row["name_zh"], row["change_pending"]) == ("新名称", 0)
    assert [row["member_id"] for row in views.register(reader, THE_PUBLIC, name="新名称")] == [GENERATOR]


def test_files_persons_and_freezes_are_for_the_member_and_the_overseers(told: Told) -> None:
    told.book.done(REGULATOR, FreezeMember(GENERATOR, "涉嫌操纵市场", 20260703), OFFICER)
    reader = told.reader
    for query in (views.members, views_persons.persons, views.freezes):
        assert query(reader, OWNER, member_id=GENERATOR)
        assert query(reader, OVERSEER, member_id=GENERATOR)
        assert query(reader, OTHER, member_id=GENERATOR) == []
        assert query(reader, THE_PUBLIC, member_id=GENERATOR) == []


def test_a_freeze_is_shown_as_due_for_review_until_it_is_lifted(told: Told) -> None:
    book, reader = told.book, told.reader
    book.done(REGULATOR, FreezeMember(GENERATOR, "涉嫌操纵市场", 20260703), OFFICER)
    assert views.freezes(reader, OVERSEER, review_due=True) == []
    assert len(views.freezes(reader, OVERSEER, review_due=False)) == 1
    later(book, 13)
    assert len(views.freezes(reader, OVERSEER, review_due=True)) == 1
    assert views.register(reader, THE_PUBLIC, name="成员5")[0]["frozen"] == 1
    book.done(REGULATOR, UnfreezeMember(GENERATOR, "核查无异常"), OFFICER)
    assert views.freezes(reader, OVERSEER, review_due=True) == []
    assert views.freezes(reader, OWNER)[0]["lifted_reason"] == "核查无异常"
    assert views.register(reader, THE_PUBLIC, name="成员5")[0]["frozen"] == 0


def test_suspension_and_exit_show_in_the_register(told: Told) -> None:
    book, reader = told.book, told.reader
    book.done(EXCHANGE, SuspendMember(GENERATOR, "未按期缴费"), REVIEWER)
    assert [row["member_id"] for row in views.register(reader, THE_PUBLIC, standing="suspended")] == [GENERATOR]
    book.done(GENERATOR, RequestExit("业务调整"), "gen-admin")
    book.done(EXCHANGE, ConfirmExit(GENERATOR, "已结清"), REVIEWER)
    assert [row["member_id"] for row in views.register(reader, THE_PUBLIC, standing="exited")] == [GENERATOR]


def test_a_replaced_admin_is_shown_to_all(told: Told) -> None:
    book, reader = told.book, told.reader
    book.done(EXCHANGE, AddPerson(DIGEST, key_of("ex-2").public_key, (Role.REVIEWER,)), "ex-admin")
    new_key = key_of("new").public_key
    book.done(EXCHANGE, ReplaceAdmin(GENERATOR, 1, DIGEST, new_key, DIGEST, "密钥遗失"), REVIEWER, "ex-2")
    (row,) = views_persons.replaced_admins(reader, THE_PUBLIC, member_id=GENERATOR)
    assert (row["old_person_no"], row["new_person_no"], row["decided_by_id"]) == (1, 4, EXCHANGE)
    persons = views_persons.persons(reader, OWNER)
    assert [(one["person_no"], one["active"]) for one in persons if "admin" in one["roles"]] == [(1, 0), (4, 1)]


def test_persons_show_their_roles_and_the_key_in_force(told: Told) -> None:
    book, reader = told.book, told.reader
    book.done(GENERATOR, AddPerson(DIGEST, key_of("li").public_key, (Role.TRADER,)), "gen-admin")
    book.done(GENERATOR, SetRoles(4, (Role.ADMIN, Role.FINANCE)), "gen-admin")
    book.done(GENERATOR, RotateKey(key_of("li-2").public_key), "li", "li-2")
    (row,) = views_persons.persons(reader, OWNER, public_key=key_of("li-2").public_key)
    assert (row["person_no"], row["roles"], row["active"]) == (4, "admin finance", 1)
    assert views_persons.persons(reader, OWNER, public_key=key_of("li").public_key) == []
    book.done(GENERATOR, RevokeKey(4, "离职"), "gen-admin")
    assert views_persons.persons(reader, OWNER, public_key=key_of("li-2").public_key)[0]["active"] == 0


def test_the_story_of_a_member_is_one_timeline(told: Told) -> None:
    member_id = applied(told.book)
    told.book.done(EXCHANGE, approve(member_id), REVIEWER)
    later(told.book, 7)
    story = told.projector.timeline_of(Viewer(member_id, Kind.GENERATOR), f"member:{member_id}")
    assert [row["step"] for row in story] == ["applied", "person_added", "reviewed", "noticed", "activated"]
    assert told.projector.timeline_of(OTHER, f"member:{member_id}") == []
