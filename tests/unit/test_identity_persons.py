"""Persons, roles and keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.identity.messages import ConfirmExit, FreezeMember, RequestExit
from shudian.contracts.identity.messages_persons import (
    ROLES_OF_KIND,
    AddPerson,
    AdminReplaced,
    KeyRevoked,
    PersonAdded,
    ReplaceAdmin,
    RevokeKey,
    RotateKey,
    SetRoles,
)
from shudian.contracts.roles import Kind, Role
from shudian.kernel.crypto import sha256
from shudian.kernel.messages import Message
from tests.support.ledger import Ledger, key_of
from tests.unit.test_identity import DIGEST, EXCHANGE, GENERATOR, NOBODY, REGULATOR, market

TRADER = (Role.TRADER,)


def person(name: str, *roles: Role) -> AddPerson:
    return AddPerson(sha256(name.encode()), key_of(name).public_key, roles or TRADER)


def rotation(name: str) -> RotateKey:
    return RotateKey(key_of(name).public_key)


def test_a_person_is_added_and_may_speak() -> None:
    book = market()
    reply = book.done(GENERATOR, person("li", Role.ADMIN, Role.TRADER), "gen-admin")
    assert reply.person_no == 4
    book.done(GENERATOR, person("wang"), "li")
    book.machine.check_all()


def test_a_key_is_rotated_by_two_signatures_whatever_the_role() -> None:
    book = market()
    book.done(GENERATOR, rotation("gen-fin-2"), "gen-fin", "gen-fin-2")
    assert book.refused(GENERATOR, rotation("gen-fin-3"), "gen-fin", "gen-fin-3") == 3007
    book.done(GENERATOR, rotation("gen-fin-3"), "gen-fin-2", "gen-fin-3")
    book.machine.check_all()


@pytest.mark.parametrize(
    ("message", "signers", "number"),
    [
        (person("gen-fin"), ("gen-admin",), 3011),
        (person("ret-admin"), ("gen-admin",), 3011),
        (person("li", Role.TELLER), ("gen-admin",), 3023),
        (person("li", Role.TRADER, Role.TRADER), ("gen-admin",), 1011),
        (AddPerson(DIGEST, bytes(32), TRADER), ("gen-admin",), 1011),
        (AddPerson(b"", key_of("li").public_key, TRADER), ("gen-admin",), 1011),
        (AddPerson(DIGEST, key_of("li").public_key, ()), ("gen-admin",), 1011),
        (SetRoles(9, TRADER), ("gen-admin",), 3021),
        (SetRoles(2, (Role.OFFICER,)), ("gen-admin",), 3023),
        (SetRoles(1, TRADER), ("gen-admin",), 3024),
        (SetRoles(1, ()), ("gen-admin",), 1011),
        (SetRoles(0, TRADER), ("gen-admin",), 1011),
        (RevokeKey(9, "x"), ("gen-admin",), 3021),
        (RevokeKey(1, "x"), ("gen-admin",), 3024),
        (RevokeKey(2, ""), ("gen-admin",), 1011),
        (rotation("gen-new"), ("gen-trader",), 3025),
        (rotation("gen-new"), ("gen-new",), 3010),
        (rotation("gen-new"), ("gen-new", "gen-trader", "gen-admin"), 3010),
        (rotation("gen-new"), ("gen-new", "stranger"), 3006),
        (rotation("gen-new"), ("gen-new", "ret-admin"), 3008),
        (rotation("ret-admin"), ("gen-trader", "ret-admin"), 3011),
        (rotation("gen-fin"), ("gen-trader", "gen-fin"), 3011),
        (RotateKey(bytes(32)), ("gen-trader",), 1011),
    ],
)
def test_persons_and_keys_are_refused(message: Message, signers: tuple[str, ...], number: int) -> None:
    assert market().refused(GENERATOR, message, *signers) == number


def test_a_person_is_registered_once_while_active() -> None:
    book = market()
    book.done(GENERATOR, AddPerson(DIGEST, key_of("li").public_key, TRADER), "gen-admin")
    again = AddPerson(DIGEST, key_of("li-2").public_key, TRADER)
    assert book.refused(GENERATOR, again, "gen-admin") == 3022
    book.done(GENERATOR, RevokeKey(4, "密钥遗失"), "gen-admin")
    assert book.refused(GENERATOR, RevokeKey(4, "密钥遗失"), "gen-admin") == 3021
    assert book.refused(GENERATOR, SetRoles(4, TRADER), "gen-admin") == 3021
    assert book.done(GENERATOR, again, "gen-admin").person_no == 5
    book.machine.check_all()


def test_the_number_of_persons_has_a_limit() -> None:
    book = market()
    limit = SetSetting("identity.persons_max_count", "", 20260620, (4,), "test")
    book.done(EXCHANGE, limit, "ex-operator")
    book.done(GENERATOR, person("li"), "gen-admin")
    assert book.refused(GENERATOR, person("wang"), "gen-admin") == 3029
    book.done(GENERATOR, RevokeKey(4, "离职"), "gen-admin")
    book.done(GENERATOR, person("wang"), "gen-admin")


def test_the_last_admin_may_go_once_there_is_another() -> None:
    book = market()
    book.done(GENERATOR, SetRoles(2, (Role.ADMIN,)), "gen-admin")
    book.done(GENERATOR, RevokeKey(1, "离职"), "gen-admin")
    assert book.refused(GENERATOR, SetRoles(2, TRADER), "gen-trader") == 3024
    book.machine.check_all()


BOTH = ("ex-reviewer", "ex-reviewer-2")


def two_reviewers() -> Ledger:
    book = market()
    book.done(EXCHANGE, person("ex-reviewer-2", Role.REVIEWER), "ex-admin")
    return book


def in_place_of(
    member_id: int = GENERATOR, person_no: int = 1, key: str = "new", digest: bytes = DIGEST
) -> ReplaceAdmin:
    return ReplaceAdmin(member_id, person_no, digest, key_of(key).public_key, sha256(b"papers"), "密钥遗失，已核验")


def test_two_reviewers_replace_an_only_admin_whose_key_is_lost() -> None:
    book = two_reviewers()
    assert book.done(EXCHANGE, in_place_of(), *BOTH).person_no == 4
    revoked, added, replaced = book.events
    assert isinstance(revoked, KeyRevoked)
    assert isinstance(added, PersonAdded)
    assert isinstance(replaced, AdminReplaced)
    assert (revoked.person_no, added.person_no, added.roles) == (1, 4, (Role.ADMIN,))
    assert (replaced.old_person_no, replaced.new_person_no, replaced.decided_by_id) == (1, 4, EXCHANGE)
    assert replaced.parties == (GENERATOR,), "the member's other persons see it on the member's timeline"
    assert book.refused(GENERATOR, person("li"), "gen-admin") == 3007, "the lost key is out of force"
    book.done(GENERATOR, person("li"), "new")
    book.machine.check_all()


@pytest.mark.parametrize(
    ("message", "signers", "number"),
    [
        (in_place_of(), ("ex-reviewer",), 3010),
        (in_place_of(), ("ex-reviewer", "ex-admin"), 3009),
        (in_place_of(NOBODY), BOTH, 3001),
        (in_place_of(EXCHANGE), BOTH, 3014),
        (in_place_of(person_no=9), BOTH, 3021),
        (in_place_of(person_no=2), BOTH, 3030),
        (in_place_of(key="gen-admin"), BOTH, 3011),
        (in_place_of(key="ret-admin"), BOTH, 3011),
        (in_place_of(digest=b""), BOTH, 1011),
        (in_place_of(person_no=0), BOTH, 1011),
        (ReplaceAdmin(GENERATOR, 1, DIGEST, key_of("new").public_key, b"", "x"), BOTH, 1011),
        (ReplaceAdmin(GENERATOR, 1, DIGEST, key_of("new").public_key, DIGEST, ""), BOTH, 1011),
    ],
)
def test_a_replacement_is_refused(message: ReplaceAdmin, signers: tuple[str, ...], number: int) -> None:
    assert two_reviewers().refused(EXCHANGE, message, *signers) == number


def test_reviewers_keep_out_while_another_admin_acts() -> None:
    book = two_reviewers()
    book.done(GENERATOR, SetRoles(2, (Role.ADMIN,)), "gen-admin")
    assert book.refused(EXCHANGE, in_place_of(), *BOTH) == 3031
    book.done(GENERATOR, RevokeKey(1, "离职"), "gen-trader")
    assert book.refused(EXCHANGE, in_place_of(), *BOTH) == 3021
    book.done(EXCHANGE, in_place_of(person_no=2), *BOTH)
    book.machine.check_all()


def test_who_takes_the_place_is_no_other_active_person_and_the_member_lives() -> None:
    book = two_reviewers()
    book.done(GENERATOR, AddPerson(DIGEST, key_of("li").public_key, TRADER), "gen-admin")
    assert book.refused(EXCHANGE, in_place_of(), *BOTH) == 3022
    book.done(GENERATOR, RequestExit("业务调整"), "gen-admin")
    book.done(EXCHANGE, ConfirmExit(GENERATOR, "已结清"), "ex-reviewer")
    assert book.refused(EXCHANGE, in_place_of(digest=sha256(b"new")), *BOTH) == 3019


def test_a_frozen_member_gets_an_admin_and_stays_frozen() -> None:
    book = two_reviewers()
    book.done(REGULATOR, FreezeMember(GENERATOR, "涉嫌操纵市场", 20260703), "reg-officer")
    book.done(EXCHANGE, in_place_of(), *BOTH)
    assert book.refused(GENERATOR, person("li"), "new") == 3003


def test_a_lost_key_of_the_exchange_is_the_regulator_s_case() -> None:
    book = market()
    book.done(REGULATOR, person("reg-2", Role.REVIEWER), "reg-admin")
    book.done(REGULATOR, in_place_of(EXCHANGE), "reg-admin", "reg-2")
    book.done(EXCHANGE, person("li", Role.REVIEWER), "new")
    book.machine.check_all()


def test_every_kind_has_admins_and_every_role_a_kind() -> None:
    assert list(ROLES_OF_KIND) == list(Kind)
    assert all(Role.ADMIN in roles for roles in ROLES_OF_KIND.values())
    assert {role for roles in ROLES_OF_KIND.values() for role in roles} == set(Role)


DEEDS = st.one_of(
    st.builds(person, st.sampled_from(["a", "b", "c"]), st.sampled_from([Role.ADMIN, Role.TRADER])),
    st.builds(SetRoles, st.integers(1, 6), st.sampled_from([(Role.ADMIN,), TRADER])),
    st.builds(RevokeKey, st.integers(1, 6), st.just("x")),
    st.builds(rotation, st.sampled_from(["a", "b", "c", "d"])),
)
SIGNERS = st.lists(
    st.sampled_from(["gen-admin", "gen-trader", "a", "b", "c", "d"]), min_size=1, max_size=3, unique=True
)


@given(st.lists(st.tuples(DEEDS, SIGNERS), max_size=12))
def test_no_course_of_deeds_leaves_a_member_without_an_admin_or_a_key_without_its_person(
    course: list[tuple[Message, list[str]]],
) -> None:
    book = market()
    for message, signers in course:
        book.say(GENERATOR, message, *signers)
        book.machine.check_all()
