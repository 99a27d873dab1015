"""How fast the ledger takes signed orders, end to end and by stage, against the bare signature-verify rate of the same run.

Set-up: an embedded node with a front in a temporary folder (SQLite, WAL, full sync), half of the members generators and half users, one
rolling session of 24 segments; orders are sealed and signed before timing starts and submitted in blocks; they match, reserve collateral,
post, emit events. Timed: from the door to the durable answer of the last; the read models follow and are timed apart. Replay goes over a
ledger at rest of the same orders, the start of its front included. Each measurement has a process of its own.
"""

import gc
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from nacl import bindings

from shudian import KERNEL
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
from shudian.kernel.epochs import NodeSecrets
from shudian.kernel.ids import derived_id
from shudian.kernel.machine import STEPPED, Machine
from shudian.kernel.messages import Message
from shudian.kernel.opened import Arrival
from shudian.kernel.units import SEGMENTS_PER_DAY
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.founding import SICHUAN_FOUNDERS, found
from shudian.node.genesis import Genesis
from shudian.node.local import LocalTransport
from shudian.node.verifiers import ENVIRONMENT_NAME, MULTIBUFFER, PYNACL, choose
from shudian.node.verify import verify_folder
from shudian.sandbox.companies import credit_code
from shudian.tools.bench import growth
from shudian.tools.bench.timed import STAGES, TimedNode

MEMBERS_COUNT = 500
ORDERS_COUNT = 32_000
"""As many as the read models may be behind, see ``UNFOLLOWED_MAX_COUNT``: so they follow after the timing."""
GROWTH_ORDERS_COUNT = 20_000
GROWTH_ROUNDS = 3
BLOCK_COUNT = 2_000
BATCH_COUNT = 100
VERIFY_COUNT = 20_000
PACED_SECONDS = 3
UP_SECONDS = 60
START_MS = clock.ms_at(20260620, 8)
TRADE_DAY, DELIVERY_DAY = 20260620, 20260622
PRICE_LOW_MYUAN_MWH, PRICE_STEP_MYUAN_MWH, PRICE_STEPS = 180_000, 500, 41
FRONT = "front"
"""The stage that the process beside the engine spends."""
CHAIN_ID = "shudian-bench"
EXCHANGE_ID, BANK_ID = 1, 3


P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class _Turn:
    """What one run gave: rates per second, seconds by stage, acknowledge times in seconds."""

    orders_per_s: float = 0.0
    followed_per_s: float = 0.0
    trades: int = 0
    spent: dict[str, float] = field(default_factory=dict)
    acknowledged_s: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class _Market:
    """A folder with a prepared market, its session, and sealed orders for it: one an envelope, and in batches."""

    folder: Path
    session_id: int
    single: list[bytes]
    batched: list[bytes]


def run(
    runs: int = 5, *, growth_too: bool = True, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> dict[str, Any]:
    """Medians over ``runs``: rates per second, ratios to the two-core verify rate, acknowledge times at half load, microseconds per order by stage.

    growth_too: also the cost of an order on a state of a thousand to a million rows. progress: told how many rounds are done, and of how many.
    """
    fast = _fast_verifier()
    rounds_count = runs + (GROWTH_ROUNDS if growth_too else 0)
    verify_rates: list[float] = []
    single: list[_Turn] = []
    batched: list[_Turn] = []
    faster: list[_Turn] = []
    replay_rates: list[float] = []
    faster_replay_rates: list[float] = []
    acknowledged_s: list[float] = []
    with prepared_market() as market, _ledger(market) as ledger:
        for done in range(runs):
            progress(done, rounds_count)
            verify_rates.append(verify_per_s())
            with _verifier(PYNACL):
                single.append(_apart(_run, market, 1))
                batched.append(_apart(_run, market, BATCH_COUNT))
                acknowledged_s.extend(_apart(_paced, market, single[-1].orders_per_s / 2))
                replay_rates.append(_apart(_replay_per_s, ledger))
            if fast:
                with _verifier(fast):
                    faster.append(_apart(_run, market, 1))
                    faster_replay_rates.append(_apart(_replay_per_s, ledger))
        spent_us: dict[int, list[float]] = {size: [] for size in growth.SIZES_COUNT}
        for done in range(runs, rounds_count):  # the sizes in turn: a slow moment of the machine meets them all
            progress(done, rounds_count)
            for size, costs_us in spent_us.items():
                costs_us.extend(_apart(growth.costs_us, partial(_machine_of, market), size))
    verify_rate = statistics.median(verify_rates)
    rates = {
        "single_orders_per_s": _median(single, "orders_per_s"),
        "single_orders_per_s_fast": _median(faster, "orders_per_s"),
        "batched_orders_per_s": _median(batched, "orders_per_s"),
        "single_orders_followed_per_s": _median(single, "followed_per_s"),
        "replay_per_s": statistics.median(replay_rates),
        "replay_per_s_fast": statistics.median(faster_replay_rates) if faster_replay_rates else None,
    }
    percentiles = statistics.quantiles(acknowledged_s, n=100)
    return {
        "set_up": f"{MEMBERS_COUNT} members, {SEGMENTS_PER_DAY} segments, {ORDERS_COUNT} orders in blocks of {BLOCK_COUNT} "
        f"(batched: {BATCH_COUNT} an envelope), a front beside the engine, durable",
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "kernel": KERNEL.name,
        "runs": runs,
        "pynacl_verify_per_s_2cores": round(verify_rate),
        **{name: None if rate is None else round(rate) for name, rate in rates.items()},
        **{
            f"{name.replace('_per_s', '')}_over_verify": None if rate is None else round(rate / verify_rate, 3)
            for name, rate in rates.items()
        },
        "ack_p50_ms": round(percentiles[49] * 1_000, 1),
        "ack_p99_ms": round(percentiles[98] * 1_000, 1),
        "trades": single[-1].trades,
        "stages": {
            name: round(statistics.median([turn.spent[name] for turn in single]) / ORDERS_COUNT * 1e6, 1)
            for name in (*STAGES, FRONT)
        },
        "growth": growth.table(spent_us) if growth_too else None,
    }


def verify_per_s() -> float:
    """Signatures per second that two processes of PyNaCl verify together."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        list(pool.map(_verify_share, [1, 1]))  # both are up
        return sum(pool.map(_verify_share, [VERIFY_COUNT] * 2))


def _verify_share(count: int) -> float:
    """Signatures per second of one process."""
    key = SigningKey(sha256(b"bench"))
    content = bytes(300)
    signed = key.sign(content) + content
    started = time.perf_counter()
    for _ in range(count):
        bindings.crypto_sign_open(signed, key.public_key)
    return count / (time.perf_counter() - started)


def _median(turns: list[_Turn], name: str) -> float | None:
    return statistics.median([getattr(turn, name) for turn in turns]) if turns else None


def _fast_verifier() -> str:
    """The optional back end where this machine has it."""
    try:
        return choose(MULTIBUFFER).name
    except NodeError:
        return ""


@contextmanager
def _verifier(name: str) -> Iterator[None]:
    """Let nodes and replays of this process use one back end."""
    before = os.environ.get(ENVIRONMENT_NAME)
    os.environ[ENVIRONMENT_NAME] = name
    try:
        yield
    finally:
        del os.environ[ENVIRONMENT_NAME]
        if before is not None:
            os.environ[ENVIRONMENT_NAME] = before


@contextmanager
def prepared_market(orders_count: int = ORDERS_COUNT) -> Iterator[_Market]:
    """The market that every run starts from, made once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        node = EmbeddedNode.create(folder, _genesis(), _key("node"), now_ms=lambda: START_MS)
        try:
            session_id = _prepare(node)
            single, batched = (_signed_orders(node, session_id, count, orders_count) for count in (1, BATCH_COUNT))
        finally:
            node.close()
        yield _Market(folder, session_id, single, batched)


@contextmanager
def _copied(market: _Market) -> Iterator[Path]:
    """The folder of a copy of the market."""
    with tempfile.TemporaryDirectory() as name:
        yield shutil.copytree(market.folder, Path(name) / "data")


def _in_blocks(envelopes: list[T], count: int) -> list[list[T]]:
    return [envelopes[first : first + count] for first in range(0, len(envelopes), count)]


@contextmanager
def _opened(market: _Market) -> Iterator[TimedNode]:
    """A node on a copy of the market, with a front that is up."""
    with _copied(market) as folder:
        node = TimedNode.open(folder, _key("node"), now_ms=lambda: START_MS, front=True)
        try:
            if node.front is not None:
                node.front.wait_up(UP_SECONDS)
            gc.collect()  # what the start left behind is no burden of the run
            node.reset()
            yield node
        finally:
            node.close()


def _run(market: _Market, batch_count: int) -> _Turn:
    """Orders one an envelope, or in batches."""
    result = _Turn()
    envelopes = market.single if batch_count == 1 else market.batched
    with _opened(market) as node:
        blocks = _in_blocks(envelopes, BLOCK_COUNT // batch_count)
        front_s = _front_s(node)
        started = time.perf_counter()
        outcomes = [outcome for block in node.submit_all(blocks) for answers in block for outcome in answers]
        seconds = time.perf_counter() - started
        result.spent = {**node.spent, "rest": seconds - sum(node.spent.values()), FRONT: _front_s(node) - front_s}
        node.follow()
        followed_seconds = time.perf_counter() - started
        result.spent["project"] = node.spent["project"]
        _all_done(tuple(outcomes))
        result.orders_per_s, result.followed_per_s = len(outcomes) / seconds, len(outcomes) / followed_seconds
        result.trades = node.projector.connection.execute("SELECT COUNT(*) FROM trading_tape").fetchone()[0]
    return result


@contextmanager
def _ledger(market: _Market) -> Iterator[Path]:
    """The folder of a node at rest that has taken the orders of a market, one an envelope."""
    with _copied(market) as folder:
        node = EmbeddedNode.open(folder, _key("node"), now_ms=lambda: START_MS, front=True)
        try:
            for answers in node.submit_all(_in_blocks(market.single, BLOCK_COUNT)):
                for outcomes in answers:
                    _all_done(outcomes)
        finally:
            node.close()
        yield folder


def _replay_per_s(folder: Path) -> float:
    """Messages per second of a ledger that is executed and tested again, signatures included."""
    started = time.perf_counter()
    verified = verify_folder(folder, NodeSecrets(_key("node"), CHAIN_ID))
    return verified.message_count / (time.perf_counter() - started)


def _apart(measure: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Measure in a process of its own, as a node or a replay has: nothing that came before lies in its memory."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, *args, **kwargs).result()


def _front_s(node: EmbeddedNode) -> float:
    """Seconds of a core that the front has spent so far; 0 where that cannot be asked."""
    try:
        user, system = Path(f"/proc/{node.front.pid if node.front else 0}/stat").read_text().split()[13:15]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _paced(market: _Market, rate_per_s: float) -> list[float]:
    """Seconds from arrival to durable answer of each order, while orders arrive evenly at a rate.

    As a server does it: what has come goes to the front, which opens it while what came before is applied, as one block. The read models
    follow when there is nothing else to do.
    """
    count = min(len(market.single), int(rate_per_s * PACED_SECONDS))
    seconds: list[float] = []
    begun, given = None, 0
    with _opened(market) as node:
        started = time.perf_counter()
        while len(seconds) < count:
            done, before = len(seconds), given
            given = min(count, int((time.perf_counter() - started) * rate_per_s))
            coming = node.begin(market.single[before:given]) if given > before else None
            if begun is not None:
                node.finish(begun)
                answered = time.perf_counter() - started
                seconds.extend(answered - number / rate_per_s for number in range(done, before))
            elif coming is None and not node.follow_next():
                time.sleep(max(0.0, started + (given + 1) / rate_per_s - time.perf_counter()))
            begun = coming
    return seconds


def _machine_of(market: _Market) -> tuple[Machine, int, Sequence[Sequence[Arrival]]]:
    """The market's machine, its session, and blocks of orders that have been through the door; its folder is closed, it lives in memory."""
    node = EmbeddedNode.open(market.folder, _key("node"), now_ms=lambda: START_MS)
    node.close()
    arrivals = node.machine.door.open_all(market.single[:GROWTH_ORDERS_COUNT], verify_signatures=False)
    return node.machine, market.session_id, _in_blocks(arrivals, BLOCK_COUNT)


def _key(name: str) -> SigningKey:
    return SigningKey(sha256(f"shudian/bench/{name}".encode()))


def _kind(place: int) -> Kind:
    return Kind.GENERATOR if place % 2 else Kind.USER


def _genesis() -> Genesis:
    genesis = found(CHAIN_ID, STEPPED, START_MS, lambda name: _key(name).public_key, SICHUAN_FOUNDERS)
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
    founding = [
        client.seal([OpenAccount(BANK_ID, sha256(b"account")), _resource(_kind(place))])
        for place, client in enumerate(clients)
    ]
    for outcomes in node.submit(founding):  # one block, since a replay goes through all that was prepared
        _all_done(outcomes)
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


def _signed_orders(node: EmbeddedNode, session_id: int, batch_count: int, orders_count: int) -> list[bytes]:
    """Orders around one price, so that a good half of them trade; a small multiplicative generator spreads them."""
    transport = LocalTransport(node)
    clients = [Client(transport, _member_id(place), [_key(f"member-{place}")]) for place in range(MEMBERS_COUNT)]
    envelopes, state = [], 1
    for number in range(-(-orders_count // batch_count)):
        place = number % MEMBERS_COUNT
        side = Side.SELL if _kind(place) is Kind.GENERATOR else Side.BUY
        orders: list[Message] = []
        for _ in range(batch_count):
            state = state * 48_271 % 2_147_483_647
            price = PRICE_LOW_MYUAN_MWH + state % PRICE_STEPS * PRICE_STEP_MYUAN_MWH
            segment = state // PRICE_STEPS % SEGMENTS_PER_DAY
            orders.append(PlaceOrder(session_id, segment, side, price, 100 * (1 + state % 50)))
        envelopes.append(clients[place].seal(orders, message_id=derived_id("bench", str(batch_count), str(number))))
    return envelopes
