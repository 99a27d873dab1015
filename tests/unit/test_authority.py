"""Who may say what: every message of the market on a real chain, said by everyone whom its declaration does not name."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from stdnum.cn import uscc

from shudian.client.client import Client, describe
from shudian.contracts.identity.messages import FreezeMember, SuspendMember
from shudian.contracts.identity.messages_persons import ROLES_OF_KIND, RevokeKey
from shudian.contracts.identity.messages_registration import APPLICANT_KINDS, ApplyMember
from shudian.contracts.roles import Kind, Role
from shudian.contracts.trading.messages_transfers import ProposeTransfer
from shudian.kernel.contract import Context
from shudian.kernel.crypto import SigningKey
from shudian.kernel.machine import STEPPED
from shudian.kernel.messages import Event, Message
from shudian.kernel.outcomes import Outcome
from shudian.kernel.tables import SEQUENCES
from shudian.kernel.units import SEGMENTS_PER_DAY
from shudian.market import MARKET
from shudian.node.embedded import EmbeddedNode
from shudian.node.genesis import Genesis, default_settings
from shudian.node.local import LocalTransport
from tests.support.chain import key_of
from tests.support.ledger import START_MS
from tests.support.minimal import NEW_KEY, minimal

MESSAGES = list(MARKET.handlers)
EVENTS = [event for contract in MARKET.contracts for event in contract.events]
STATES = ("good", "suspended", "frozen")
NOBODY = 999
REVOKED_PERSON_NO = 1
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def member_id(kind: Kind, state: str = "good") -> int:
    return STATES.index(state) * len(Kind) + list(Kind).index(kind) + 1


def signer(kind: Kind, role: str, state: str = "good", no: int = 1) -> SigningKey:
    return key_of(f"{kind}-{role}-{state}-{no}")


def member(kind: Kind, state: str) -> dict[str, Any]:
    """A member with a person whose key will be revoked, then two persons for each role its kind may have."""
    body = f"91510000MA{member_id(kind, state):07d}"
    persons = [(signer(kind, "revoked", state), list(ROLES_OF_KIND[kind]))]
    persons += [(signer(kind, role, state, no), [role]) for role in ROLES_OF_KIND[kind] for no in (1, 2)]
    return {
        "kind": kind.value,
        "name_zh": f"{kind} {state}",
        "name_en": f"{kind} {state}",
        "uscc": body + str(uscc.calc_check_digit(body)),
        "persons": [{"public_key": key.public_key.hex(), "roles": roles} for key, roles in persons],
    }


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNode]:
    members = [member(kind, state) for state in STATES for kind in Kind]
    sections = {"governance": {"settings": default_settings()}, "identity": {"members": members}}
    made = EmbeddedNode.create(
        tmp_path_factory.mktemp("chain"), Genesis("test", STEPPED, START_MS, sections), key_of("node")
    )
    for kind in Kind:
        client(made, kind, Role.ADMIN).submit(RevokeKey(REVOKED_PERSON_NO, "离职"))
        client(made, Kind.REGULATOR, Role.OFFICER).submit(FreezeMember(member_id(kind, "frozen"), "调查", 20260701))
    for kind in APPLICANT_KINDS:
        client(made, Kind.EXCHANGE, Role.REVIEWER).submit(SuspendMember(member_id(kind, "suspended"), "违约"))
    yield made
    made.close()


def client(node: EmbeddedNode, kind: Kind, role: str) -> Client:
    return Client(LocalTransport(node), member_id(kind), [signer(kind, role)])


Said = tuple[int, list[SigningKey], Message]


def answers(node: EmbeddedNode, said: Sequence[Said]) -> list[Outcome]:
    """The outcomes of messages in one block that may change nothing but what the machine remembers of its answers."""
    before = state(node)
    envelopes = [Client(LocalTransport(node), sender_id, keys).seal([message]) for sender_id, keys, message in said]
    outcomes = [one[0] for one in node.submit(envelopes)]
    assert state(node) == before
    for outcome in outcomes:
        assert outcome.number, "a message that should be refused was carried out"
        assert outcome.field
        zh, en = describe(outcome, "zh"), describe(outcome, "en")
        assert zh.startswith(f"[{outcome.number}] ")
        assert en.startswith(f"[{outcome.number}] ")
        assert CHINESE.search(zh)
        assert not CHINESE.search(en)
    return outcomes


def state(node: EmbeddedNode) -> tuple[Any, ...]:
    """All contracts' roots, and what the kernel keeps beside its answers: sequences and the clock."""
    roots = {name: root for name, root in node.machine.roots.sub_roots().items() if name != "kernel"}
    return roots, list(SEQUENCES.range(node.machine.store)), node.market_ms


def numbers(node: EmbeddedNode, said: Sequence[Said]) -> list[int]:
    return [outcome.number for outcome in answers(node, said)]


def named(kind: type[Message]) -> Iterator[tuple[Kind, str]]:
    """The kinds with the role that may sign; where every role may, one of them."""
    for of in kind.authority.kinds:
        yield Kind(of), kind.authority.role or Role.ADMIN


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_kinds_and_roles_that_are_not_named_are_refused(node: EmbeddedNode, kind: type[Message]) -> None:
    message, authority = minimal(kind), kind.authority
    said: list[Said] = []
    expected = []
    for of in Kind:
        for role in ROLES_OF_KIND[of]:
            if of in authority.kinds and role == (authority.role or role):
                continue
            said.append((member_id(of), [signer(of, role)], message))
            expected.append(3009 if of in authority.kinds else 3004)
    assert numbers(node, said) == expected


@pytest.mark.parametrize("kind", [kind for kind in MESSAGES if kind.authority.kinds], ids=lambda kind: kind.__name__)
def test_who_is_not_registered_or_does_not_sign_soundly_is_refused(node: EmbeddedNode, kind: type[Message]) -> None:
    message = minimal(kind)
    for of, role in named(kind):
        own, other = signer(of, role), signer(of, Role.ADMIN, "suspended")
        said: list[Said] = [
            (0, [key_of("stranger")], message),
            (0, [own], message),
            (NOBODY, [own], message),
            (member_id(of), [key_of("stranger")], message),
            (member_id(of), [own, key_of("stranger")], message),
            (member_id(of), [signer(of, "revoked")], message),
            (member_id(of), [other], message),
        ]
        assert numbers(node, said) == [3001, 3001, 3001, 3006, 3006, 3007, 3008]


@pytest.mark.parametrize("kind", [kind for kind in MESSAGES if kind.authority.kinds], ids=lambda kind: kind.__name__)
def test_suspended_and_frozen_members_are_refused(node: EmbeddedNode, kind: type[Message]) -> None:
    message = minimal(kind)
    for of, role in named(kind):
        assert numbers(node, [(member_id(of, "frozen"), [signer(of, role, "frozen")], message)]) == [3003]
        if of in APPLICANT_KINDS and kind.authority.active_only:
            assert numbers(node, [(member_id(of, "suspended"), [signer(of, role, "suspended")], message)]) == [3002]


BANDED = [kind for kind in MESSAGES if kind.authority.second_signer_setting]


def worth(kind: type[Message], value_fen: int) -> Message:
    """A message whose value is so many fen; energy at 10 CNY/MWh is worth 1 fen a kWh."""
    message = minimal(kind)
    if kind is ProposeTransfer:
        each_kwh, rest_kwh = divmod(value_fen, SEGMENTS_PER_DAY)
        quantities_kwh = (each_kwh + rest_kwh, *(each_kwh,) * (SEGMENTS_PER_DAY - 1))
        message = replace(message, quantities_kwh=quantities_kwh, price_myuan_mwh=10_000)
    else:
        stated = {"amount_fen", "value_fen"}.intersection(kind.__struct_fields__)
        message = replace(message, **dict.fromkeys(stated, value_fen))
    message.check()
    return message


@pytest.mark.parametrize("kind", BANDED, ids=lambda kind: kind.__name__)
def test_from_the_band_on_one_signer_is_not_enough(node: EmbeddedNode, kind: type[Message]) -> None:
    name = kind.authority.second_signer_setting
    (from_fen,) = next(entry["values"] for entry in default_settings() if entry["name"] == name)
    above, below = (worth(kind, value_fen) for value_fen in (from_fen, from_fen - 1))
    assert (above.band_fen(), below.band_fen()) == (from_fen, from_fen - 1)
    for of, role in named(kind):
        first, second = signer(of, role), signer(of, role, no=2)
        other_role = signer(of, Role.ADMIN)
        assert numbers(node, [(member_id(of), [first], above), (member_id(of), [first, other_role], above)]) == [
            3010,
            3009,
        ]
        authorise(node, (member_id(of), [first], below))
        authorise(node, (member_id(of), [first, second], above))


def authorise(node: EmbeddedNode, said: Said) -> None:
    sender_id, keys, message = said
    machine = node.machine
    signers = tuple(key.public_key for key in keys)
    MARKET.authorise(Context(machine.store, machine.cold, MARKET, machine.market_ms, [], sender_id, signers), message)


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_those_whom_the_declaration_names_may_say_it(node: EmbeddedNode, kind: type[Message]) -> None:
    message = minimal(kind)
    for of, _ in named(kind):
        for role in (kind.authority.role,) if kind.authority.role else ROLES_OF_KIND[of]:
            keys = [signer(of, role, no=no + 1) for no in range(kind.authority.signers)]
            authorise(node, (member_id(of), keys, message))
            if len(keys) > 1:
                assert numbers(node, [(member_id(of), keys[:-1], message)]) == [3010]
            if of in APPLICANT_KINDS and not kind.authority.active_only:
                authorise(node, (member_id(of, "suspended"), [signer(of, role, "suspended")], message))
    if not kind.authority.kinds:
        authorise(node, (0, [NEW_KEY], message))


def test_only_applicants_apply(node: EmbeddedNode) -> None:
    message = minimal(ApplyMember)
    said: list[Said] = [
        (NOBODY, [NEW_KEY], message),
        (0, [NEW_KEY, key_of("stranger")], message),
        (0, [signer(Kind.USER, Role.ADMIN)], message),
        (0, [signer(Kind.USER, "revoked")], message),
    ]
    assert numbers(node, said) == [3004, 3010, 3011, 3011]


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_every_message_declares_who_when_and_what(kind: type[Message]) -> None:
    authority = kind.authority
    assert (kind.__doc__ or "").strip()
    assert CHINESE.search(authority.when_zh)
    assert authority.when_en
    assert not CHINESE.search(authority.when_en)
    assert authority.signers >= 1
    assert authority.sees in {"public", "members", "parties"}
    assert not authority.second_signer_setting or authority.second_signer_setting in MARKET.settings
    for of in authority.kinds:
        assert authority.role in ("", *ROLES_OF_KIND[Kind(of)])


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_tells_its_step_in_both_languages(event: type[Event]) -> None:
    assert (event.__doc__ or "").strip()
    assert event.step
    assert CHINESE.search(event.zh)
    assert event.en
    assert not CHINESE.search(event.en)
