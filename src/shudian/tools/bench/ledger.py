"""How fast the ledger takes signed orders, end to end and by stage, against the bare signature-verify rate of the same run.

Set-up: an embedded node in a temporary folder (SQLite, WAL, full sync), half of the members generators and half users, one rolling session of 24
segments; orders are signed before timing starts and submitted in blocks; they match, reserve collateral, emit events, are projected.
"""

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from nacl import bindings

from shudian.client.client import Client
from shudian.contracts.agreements.messages import Method
from shudian.contracts.funds.messages import ConfirmDeposit, OpenAccount
from shudian.contracts.resources.messages import (
    Decision,
    Fuel,
    RegisterResource,
    ResourceType,
    ReviewResource,
    TariffClass,
    Voltage,
)
from shudian.contracts.roles import Kind
from shudian.contracts.trading.messages import OpenSession, PlaceOrder, Product, Side
from shudian.kernel import clock
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.ids import derived_id
from shudian.kernel.machine import STEPPED
from shudian.kernel.messages import Message
from shudian.kernel.units import SEGMENTS_PER_DAY
from shudian.node.embedded import EmbeddedNode
from shudian.node.founding import SICHUAN_FOUNDERS, found
from shudian.node.genesis import Genesis
from shudian.node.local import LocalTransport
from shudian.sandbox.companies import credit_code

MEMBERS_COUNT = 200
ORDERS_COUNT = 4_000
BLOCK_COUNT = 500
VERIFY_COUNT = 4_000
START_MS = clock.ms_at(20260620, 8)
TRADE_DAY, DELIVERY_DAY = 20260620, 20260622
PRICE_LOW_MYUAN_MWH, PRICE_STEP_MYUAN_MWH, PRICE_STEPS = 180_000, 500, 41
STAGES = ("door", "execute", "commit", "project")
EXCHANGE_ID, BANK_ID = 1, 3


def run(runs: int = 5) -> dict[str, Any]:
    """Medians over ``runs``: orders per second, the verify rate, their ratio, and microseconds per order by stage."""
    rates, verify_rates = [], []
    stages: dict[str, list[float]] = {name: [] for name in STAGES}
    trades = 0
    for turn in range(runs):
        verify_rates.append(_verify_per_s())
        rate, spent, trades = _orders_per_s(turn)
        rates.append(rate)
        for name in STAGES:
            stages[name].append(spent[name] / ORDERS_COUNT * 1e6)
    orders_per_s, verify_per_s = statistics.median(rates), statistics.median(verify_rates)
    return {
        "set_up": f"{MEMBERS_COUNT} members, {SEGMENTS_PER_DAY} segments, {ORDERS_COUNT} orders in blocks of {BLOCK_COUNT}, one process, durable",
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "runs": runs,
        "signed_orders_per_s": round(orders_per_s),
        "pynacl_verify_per_s": round(verify_per_s),
        "orders_over_verify": round(orders_per_s / verify_per_s, 3),
        "trades": trades,
        "stages_us_per_order": {name: round(statistics.median(values), 1) for name, values in stages.items()},
    }


def _verify_per_s() -> float:
    key = SigningKey(sha256(b"bench"))
    content = bytes(300)
    signed = key.sign(content) + content
    started = time.perf_counter()
    for _ in range(VERIFY_COUNT):
        bindings.crypto_sign_open(signed, key.public_key)
    return VERIFY_COUNT / (time.perf_counter() - started)


def _orders_per_s(turn: int) -> tuple[float, dict[str, float], int]:
    with tempfile.TemporaryDirectory() as folder:
        node = EmbeddedNode.create(Path(folder), _genesis(), _key("node"), now_ms=lambda: START_MS)
        try:
            session_id = _prepare(node)
            blocks = _signed_orders(node, session_id, turn)
            spent = _time_stages(node)
            started = time.perf_counter()
            outcomes = [answers for block in blocks for answers in node.submit(block)]
            seconds = time.perf_counter() - started
            refused = [answers[0] for answers in outcomes if not answers[0].done]
            if refused:
                message = f"the bench's orders were refused: {refused[0]}"
                raise RuntimeError(message)
            trades = node.projector.connection.execute("SELECT COUNT(*) FROM trading_tape").fetchone()[0]
        finally:
            node.close()
    return ORDERS_COUNT / seconds, spent, trades


def _key(name: str) -> SigningKey:
    return SigningKey(sha256(f"shudian/bench/{name}".encode()))


def _kind(place: int) -> Kind:
    return Kind.GENERATOR if place % 2 else Kind.USER


def _genesis() -> Genesis:
    genesis = found("shudian-bench", STEPPED, START_MS, lambda name: _key(name).public_key, SICHUAN_FOUNDERS)
    traders = [
        {
            "kind": _kind(place),
            "name_zh": f"测试成员{place}",
            "name_en": f"Bench member {place}",
            "uscc": credit_code("91", "510100", 900_000 + place),
            "persons": [
                {"public_key": _key(f"member-{place}").public_key.hex(), "roles": ["admin", "trader", "finance"]}
            ],
        }
        for place in range(MEMBERS_COUNT)
    ]
    genesis.sections["identity"]["members"].extend(traders)
    return genesis


def _member_id(place: int) -> int:
    return len(SICHUAN_FOUNDERS) + 1 + place


def _prepare(node: EmbeddedNode) -> int:
    transport = LocalTransport(node)
    clients = [Client(transport, _member_id(place), [_key(f"member-{place}")]) for place in range(MEMBERS_COUNT)]
    exchange = Client(transport, EXCHANGE_ID, [_key("exchange-operator")])
    reviewer = Client(transport, EXCHANGE_ID, [_key("exchange-reviewer")])
    teller = Client(transport, BANK_ID, [_key("bank-teller")])
    for place, client in enumerate(clients):
        _all_done(client.submit_batch([OpenAccount(BANK_ID, sha256(b"account")), _resource(_kind(place))]))
    deposits: list[Message] = [
        ConfirmDeposit(_member_id(place), 5_000_000_000, sha256(f"deposit {place}".encode()))
        for place in range(MEMBERS_COUNT)
    ]
    _all_done(teller.submit_batch(deposits))
    _all_done(reviewer.submit_batch([ReviewResource(number + 1, Decision.APPROVE) for number in range(MEMBERS_COUNT)]))
    opened = exchange.submit(
        OpenSession(
            Method.ROLLING,
            Product.DAILY,
            DELIVERY_DAY,
            DELIVERY_DAY,
            tuple(range(SEGMENTS_PER_DAY)),
            START_MS,
            clock.ms_at(TRADE_DAY, 15),
        )
    )
    session_id: int = opened.session_id
    return session_id


def _all_done(outcomes: tuple[Any, ...]) -> None:
    refused = [outcome for outcome in outcomes if not outcome.done]
    if refused:
        message = f"the bench could not be set up: {refused[0]}"
        raise RuntimeError(message)


def _resource(kind: Kind) -> RegisterResource:
    plant = kind is Kind.GENERATOR
    return RegisterResource(
        resource_type=ResourceType.PLANT if plant else ResourceType.LOAD,
        name_zh="测试资源",
        name_en="bench resource",
        capacity_kw=10_000_000,
        voltage=Voltage.KV220,
        fuel=Fuel.COAL if plant else Fuel.NONE,
        tariff_class=TariffClass.NONE if plant else TariffClass.TWO_PART,
        contract_demand_kw=0 if plant else 10_000_000,
    )


def _signed_orders(node: EmbeddedNode, session_id: int, turn: int) -> list[list[bytes]]:
    """Orders around one price, so that a good half of them trade; a small multiplicative generator spreads them."""
    transport = LocalTransport(node)
    clients = [Client(transport, _member_id(place), [_key(f"member-{place}")]) for place in range(MEMBERS_COUNT)]
    envelopes, state = [], turn + 1
    for number in range(ORDERS_COUNT):
        state = state * 48_271 % 2_147_483_647
        place = number % MEMBERS_COUNT
        side = Side.SELL if _kind(place) is Kind.GENERATOR else Side.BUY
        price = PRICE_LOW_MYUAN_MWH + state % PRICE_STEPS * PRICE_STEP_MYUAN_MWH
        order = PlaceOrder(session_id, state // PRICE_STEPS % SEGMENTS_PER_DAY, side, price, 100 * (1 + state % 50))
        envelopes.append(clients[place].seal([order], message_id=derived_id("bench", str(turn), str(number))))
    return [envelopes[first : first + BLOCK_COUNT] for first in range(0, ORDERS_COUNT, BLOCK_COUNT)]


def _time_stages(node: EmbeddedNode) -> dict[str, float]:
    """Put a stopwatch around the four stages of this node; returns the seconds, filled while it runs."""
    spent = dict.fromkeys(STAGES, 0.0)

    def timed(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(run)
        def watched(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return run(*args, **kwargs)
            finally:
                spent[name] += time.perf_counter() - started

        return watched

    for name, owner, method in (
        ("door", node.machine.door, "open_all"),
        ("execute", node.machine, "apply"),
        ("commit", node._store, "commit"),  # noqa: SLF001 - a stopwatch has to stand inside
        ("project", node.projector, "project"),
    ):
        setattr(owner, method, timed(name, getattr(owner, method)))
    return spent
