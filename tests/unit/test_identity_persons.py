"""Persons, roles and keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.identity.messages_persons import ROLES_OF_KIND, AddPerson, RevokeKey, RotateKey, SetRoles
from shudian.contracts.roles import Kind, Role
from shudian.kernel.crypto import sha256
from shudian.kernel.messages import Message
from tests.support.ledger import key_of
from tests.unit.test_identity import DIGEST, EXCHANGE, GENERATOR, market

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
