"""Bad input on a real chain: a number, the field, its value and what is allowed, and nothing changed."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from stdnum.cn import uscc

from shudian.client.client import Client, describe
from shudian.contracts.agreements.messages import Method
from shudian.contracts.funds.messages import RequestPayout
from shudian.contracts.governance.messages import AdvanceClock, SetSetting
from shudian.contracts.identity.messages_persons import ROLES_OF_KIND
from shudian.contracts.resources.messages import (
    Decision,
    RegisterResource,
    ResourceType,
    ReviewResource,
    TariffClass,
    Voltage,
)
from shudian.contracts.roles import Kind
from shudian.contracts.trading.messages import OpenSession, PlaceOrder, Product, Side
from shudian.kernel.clock import DAY_MS, ms_at
from shudian.kernel.codec import decode, encode
from shudian.kernel.envelope import ENVELOPE_MAX_BYTES, Envelope, seal
from shudian.kernel.machine import STEPPED
from shudian.kernel.outcomes import Outcome
from shudian.kernel.tables import SEQUENCES
from shudian.node.embedded import EmbeddedNode
from shudian.node.genesis import Genesis, default_settings
from shudian.node.local import LocalTransport
from tests.support.chain import key_of

KINDS = (Kind.EXCHANGE, Kind.REGULATOR, Kind.GRID_COMPANY, Kind.BANK, Kind.USER)
EXCHANGE, _, _, BANK, USER = range(1, len(KINDS) + 1)
START_MS = ms_at(20260701, 9)
OPENS_MS, CLOSES_MS = ms_at(20260701, 9, 30), ms_at(20260701, 15)
OPENING_FEN = 2_000_000
CAPACITY_KW = 200_000
CAP_MYUAN_MWH = 481_440
CHINESE = re.compile(r"[\u4e00-\u9fff]")
HOLIDAYS = "governance.holidays_day"
USED_ID = b"an id used once."
OPEN, NOT_YET_OPEN = 1, 2


def member(number: int, kind: Kind) -> dict[str, Any]:
    body = f"91510000MA{number:07d}"
    person = {"public_key": key_of(str(number)).public_key.hex(), "roles": list(ROLES_OF_KIND[kind])}
    names = {"name_zh": f"成员{number}", "name_en": f"Member {number}"}
    return {"kind": kind.value, "uscc": body + str(uscc.calc_check_digit(body)), "persons": [person], **names}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EmbeddedNode]:
    """A chain on which one user of 200 MW with 20,000 yuan may order in a session; another session is not open yet."""
    account = {"owner_id": USER, "bank_id": BANK, "bank_account_digest": "00" * 32, "opening_fen": OPENING_FEN}
    sections = {
        "governance": {"settings": default_settings()},
        "identity": {"members": [member(number, kind) for number, kind in enumerate(KINDS, 1)]},
        "funds": {"accounts": [account]},
    }
    chain = Genesis("test", STEPPED, START_MS, sections)
    made = EmbeddedNode.create(tmp_path, chain, key_of("node"))
    exchange = client(made, EXCHANGE)
    client(made, USER).submit(
        RegisterResource(
            ResourceType.LOAD,
            "铝厂",
            "Smelter",
            CAPACITY_KW,
            Voltage.KV110,
            tariff_class=TariffClass.TWO_PART,
            contract_demand_kw=CAPACITY_KW,
        )
    )
    exchange.submit(ReviewResource(1, Decision.APPROVE))
    for opens_ms in (OPENS_MS, OPENS_MS + 60_000):
        exchange.submit(
            OpenSession(
                Method.ROLLING, Product.DAILY, 20260703, 20260703, (14,), opens_ms=opens_ms, closes_ms=CLOSES_MS
            )
        )
    exchange.submit(AdvanceClock(OPENS_MS))
    exchange.submit(SetSetting(HOLIDAYS, "", 20260701, (20261001,), "test"), message_id=USED_ID)
    yield made
    made.close()


def client(node: EmbeddedNode, member_id: int) -> Client:
    return Client(LocalTransport(node), member_id, [key_of(str(member_id))])


def state(node: EmbeddedNode) -> tuple[Any, ...]:
    """All contracts' roots, and what the kernel keeps beside its answers: sequences and the clock."""
    roots = {name: root for name, root in node.machine.roots.sub_roots().items() if name != "kernel"}
    return roots, list(SEQUENCES.range(node.machine.store)), node.market_ms


Bytes = Callable[[EmbeddedNode], bytes]


def order(**changed: Any) -> Bytes:
    """An order of the user, sound but for what is changed."""
    sound = PlaceOrder(OPEN, 14, Side.BUY, 300_000, 1_000)
    return lambda node: client(node, USER).seal([replace(sound, **changed)])


def holiday(**how: Any) -> Bytes:
    return lambda node: client(node, EXCHANGE).seal([SetSetting(HOLIDAYS, "", 20260702, (20261002,), "test")], **how)


def changed(**fields: Any) -> Bytes:
    """A sound envelope with fields changed after it was signed."""
    return lambda node: encode(replace(decode(order()(node), Envelope), **fields))


def body(content: object) -> Bytes:
    return lambda node: seal(
        "test", USER, bytes(16), node.market_ms + 1, encode(content), [key_of(str(USER))], node.epoch, atomic=False
    )


@pytest.mark.parametrize(
    ("said", "number", "field", "value", "allowed"),
    [
        pytest.param(lambda _node: b"\xc1", 1001, "envelope", "1 字节 ‖ 1 bytes", "规范编码", id="malformed"),
        pytest.param(lambda _node: encode((1, 2)), 1001, "envelope", r"\d bytes|\$", "规范编码", id="not an envelope"),
        pytest.param(changed(signatures=()), 1004, "signatures", "^0$", r"1\.\.8", id="unsigned"),
        pytest.param(changed(expires_ms=OPENS_MS + 2), 1005, "signatures", "^[0-9a-f]{16}$", "签名", id="forged"),
        pytest.param(changed(chain_id="other"), 1003, "chain_id", "^other$", "^test$", id="of another chain"),
        pytest.param(changed(version=1), 1013, "version", "^1$", "^2$", id="of another version"),
        pytest.param(body([("Nonsense", 1)]), 1006, "body", r"^\$\[0\]", "规范编码", id="unknown"),
        pytest.param(
            body([("PlaceOrder", "x")]), 1006, "body", r"^\$\[0\]", "规范编码", id="a message with wrong fields"
        ),
        pytest.param(body([]), 1012, "body", "^0$", r"1\.\.4096", id="an empty batch"),
        pytest.param(
            holiday(expires_ms=OPENS_MS - 1), 1007, "expires_ms", str(OPENS_MS - 1), f"> {OPENS_MS}", id="expired"
        ),
        pytest.param(
            holiday(expires_ms=OPENS_MS + DAY_MS + 1),
            1008,
            "expires_ms",
            r"\d+",
            f"<= {OPENS_MS + DAY_MS}",
            id="lasts too long",
        ),
        pytest.param(holiday(message_id=USED_ID), 1009, "id", USED_ID.hex(), "新的编号", id="repeated id"),
        pytest.param(
            lambda _node: bytes(ENVELOPE_MAX_BYTES + 1), 1002, "envelope", "1048577", "<= 1048576", id="oversized"
        ),
        pytest.param(order(quantity_kwh=0), 1011, "quantity_kwh", "^0$", r"1\.\.", id="out of range"),
        pytest.param(order(session_id=9), 9001, "session_id", "^9$", "", id="unknown session"),
        pytest.param(
            order(price_myuan_mwh=CAP_MYUAN_MWH + 1),
            9009,
            "price_myuan_mwh",
            "^481441$",
            r"^0\.\.481440$",
            id="out of band",
        ),
        pytest.param(order(session_id=NOT_YET_OPEN), 9006, "market_ms", str(OPENS_MS), r"\d+\.\.\d+", id="out of gate"),
        pytest.param(order(segment=3), 9008, "segment", "^3$", "^14$", id="segment not offered"),
        pytest.param(order(quantity_kwh=1_050), 9010, "quantity_kwh", "^1050$", "100 的整数倍", id="not in lots"),
        pytest.param(
            order(quantity_kwh=60_000_000), 9011, "quantity_kwh", "60000000", "<= 50000000", id="over the limit"
        ),
        pytest.param(
            order(quantity_kwh=200_100), 9013, "quantity_kwh", "200100", "<= 200000", id="over its capability"
        ),
        pytest.param(
            lambda node: client(node, USER).seal([RequestPayout(OPENING_FEN + 1)]),
            4003,
            "amount_fen",
            str(OPENING_FEN + 1),
            f"<= {OPENING_FEN}",
            id="more than is there",
        ),
        pytest.param(order(), 0, "", "", "", id="nothing wrong"),
    ],
)
def test_bad_input_is_told_in_full_and_changes_nothing(
    node: EmbeddedNode, said: Bytes, number: int, field: str, value: str, allowed: str
) -> None:
    before = state(node)
    (outcome,) = node.submit([said(node)])[0]
    assert (outcome.number, outcome.field) == (number, field), outcome
    assert re.search(value, outcome.value), outcome
    assert re.search(allowed, outcome.allowed), outcome
    assert (state(node) == before) == bool(number)
    if number:
        check_sentences(outcome)


def check_sentences(outcome: Outcome) -> None:
    """Both sentences tell the number, the field and every number of the facts; the Chinese one in Chinese, the other without."""
    zh, en = describe(outcome, "zh"), describe(outcome, "en")
    for words in (zh, en):
        assert f"[{outcome.number}]" in words
        assert outcome.field in words
        for fact in re.findall(r"\d+", outcome.value) + re.findall(r"\d+", outcome.allowed):
            assert fact in words
        assert "‖" not in words
    assert CHINESE.search(zh)
    assert not CHINESE.search(en)


def test_an_order_without_collateral_is_refused(node: EmbeddedNode) -> None:
    """100 MWh at 300 CNY/MWh need 5 % of 30,000 CNY: 1,500 CNY; 1 CNY is left after a pay-out of 19,999 CNY is asked for."""
    user = client(node, USER)
    user.submit(RequestPayout(OPENING_FEN - 100))
    before = state(node)
    (outcome,) = node.submit([user.seal([PlaceOrder(OPEN, 14, Side.BUY, 300_000, 100_000)])])[0]
    assert (outcome.number, outcome.field, outcome.value) == (4003, "amount_fen", "150000")
    assert outcome.allowed.startswith("<= 100")
    assert state(node) == before
    check_sentences(outcome)


def test_a_repeat_gets_its_first_answer_and_changes_nothing(node: EmbeddedNode) -> None:
    data = client(node, EXCHANGE).seal([SetSetting(HOLIDAYS, "", 20260705, (20261003,), "test")])
    first = node.submit([data])
    before = (state(node), node.height)
    assert node.submit([data, data]) == first * 2
    assert (state(node), node.height) == before
