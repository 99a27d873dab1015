"""How many meter points a second the ledger accepts, against the bare signature-verify rate of the same run.

Set-up: an embedded node in a temporary folder (durable), load meters of one user; the grid company reports each day of all of them,
2,000 meters x 96 quarter hours in one signed message, signed before timing starts. Timed: from the door to the durable commit and the answer; the
read models follow a durable block and are timed apart.
"""

import os
import platform
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from nacl import bindings

from shudian.client.client import Client
from shudian.contracts.governance.messages import AdvanceClock
from shudian.contracts.metering.messages import METERS_MAX_COUNT, BindMeter, Direction, SubmitReadings
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
from shudian.kernel import clock
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.ids import derived_id
from shudian.kernel.machine import STEPPED
from shudian.kernel.messages import Message
from shudian.kernel.units import SLOTS_PER_DAY
from shudian.node.embedded import EmbeddedNode
from shudian.node.founding import SICHUAN_FOUNDERS, found
from shudian.node.genesis import Genesis
from shudian.node.local import LocalTransport
from shudian.sandbox.companies import credit_code
from shudian.tools.bench.timed import STAGES, TimedNode

METERS_COUNT = 4_000
DAYS_COUNT = 5
VERIFY_COUNT = 4_000
START_DAY = 20260601
CAPACITY_KW = 1_000
BATCH_COUNT = 1_000
EXCHANGE_ID, GRID_ID, USER_ID = 1, 2, len(SICHUAN_FOUNDERS) + 1


def run(runs: int = 5) -> dict[str, Any]:
    """Medians over ``runs``: meter points per second, the verify rate of all cores, their ratio, microseconds per meter and day by stage."""
    rates, verify_rates = [], []
    stages: dict[str, list[float]] = {name: [] for name in STAGES}
    for turn in range(runs):
        verify_rates.append(_verify_per_s())
        rate, spent = _points_per_s(turn)
        rates.append(rate)
        for name in STAGES:
            stages[name].append(spent[name] / (METERS_COUNT * DAYS_COUNT) * 1e6)
    points_per_s, verify_per_s = statistics.median(rates), statistics.median(verify_rates)
    return {
        "set_up": f"{METERS_COUNT} meters x {DAYS_COUNT} days, {METERS_MAX_COUNT} meters a message, a block per day, one process, "
        "from the door to the durable answer",
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "runs": runs,
        "meter_points_per_s": round(points_per_s),
        "pynacl_verify_per_s_2cores": round(verify_per_s),
        "meter_points_over_verify": round(points_per_s / verify_per_s, 1),
        "stages_us_per_meter_day": {name: round(statistics.median(values), 1) for name, values in stages.items()},
    }


def _verify_per_s() -> float:
    """Signatures per second that two threads verify together; PyNaCl lets go of the interpreter's lock meanwhile."""
    key = SigningKey(sha256(b"bench"))
    content = bytes(300)
    signed = key.sign(content) + content

    def verify(_worker: int) -> None:
        for _ in range(VERIFY_COUNT):
            bindings.crypto_sign_open(signed, key.public_key)

    with ThreadPoolExecutor(2) as pool:
        started = time.perf_counter()
        list(pool.map(verify, range(2)))
        return 2 * VERIFY_COUNT / (time.perf_counter() - started)


def _points_per_s(turn: int) -> tuple[float, dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        node = TimedNode.create(Path(folder), _genesis(), _key("node"), now_ms=lambda: clock.ms_at(START_DAY, 8))
        try:
            _prepare(node)
            days = [clock.day_after(START_DAY, count) for count in range(DAYS_COUNT)]
            _client(node, EXCHANGE_ID, "exchange-operator").submit(AdvanceClock(clock.ms_at(days[-1], 24)))
            blocks = [_signed_day(node, day, turn) for day in days]
            node.follow()
            node.reset()
            started = time.perf_counter()
            outcomes = [answers for block in blocks for answers in node.submit(block)]
            # Read models follow when much waits, some of them before the last answer: that part is none of the answer's.
            followed_seconds = node.spent["project"]
            seconds = time.perf_counter() - started - followed_seconds
            spent = {**node.spent, "rest": seconds + followed_seconds - sum(node.spent.values())}
            node.follow()
            spent["project"] = node.spent["project"]
            _all_done(tuple(answer for answers in outcomes for answer in answers))
        finally:
            node.close()
    return METERS_COUNT * SLOTS_PER_DAY * DAYS_COUNT / seconds, spent


def _key(name: str) -> SigningKey:
    return SigningKey(sha256(f"shudian/bench/{name}".encode()))


def _client(node: EmbeddedNode, member_id: int, name: str) -> Client:
    return Client(LocalTransport(node), member_id, [_key(name)])


def _genesis() -> Genesis:
    genesis = found(
        "shudian-bench", STEPPED, clock.ms_at(START_DAY, 8), lambda name: _key(name).public_key, SICHUAN_FOUNDERS
    )
    user = {
        "kind": Kind.USER,
        "name_zh": "测试用户",
        "name_en": "Bench user",
        "uscc": credit_code("91", "510100", 900_000),
        "persons": [{"public_key": _key("user").public_key.hex(), "roles": ["admin", "trader", "finance"]}],
    }
    genesis.sections["identity"]["members"].append(user)
    return genesis


def _prepare(node: EmbeddedNode) -> None:
    """Loads of one user, reviewed, each with its meter; both are numbered from 1."""
    resource = RegisterResource(
        resource_type=ResourceType.LOAD,
        name_zh="测试负荷",
        name_en="bench load",
        capacity_kw=CAPACITY_KW,
        voltage=Voltage.KV220,
        fuel=Fuel.NONE,
        tariff_class=TariffClass.TWO_PART,
        contract_demand_kw=CAPACITY_KW,
    )
    numbers = range(1, METERS_COUNT + 1)
    said: tuple[tuple[Client, list[Message]], ...] = (
        (_client(node, USER_ID, "user"), [resource for _ in numbers]),
        (
            _client(node, EXCHANGE_ID, "exchange-reviewer"),
            [ReviewResource(number, Decision.APPROVE) for number in numbers],
        ),
        (
            _client(node, GRID_ID, "grid_company-meter"),
            [BindMeter(f"bench-{number}", number, Direction.LOAD, START_DAY) for number in numbers],
        ),
    )
    for client, messages in said:
        for first in range(0, len(messages), BATCH_COUNT):
            _all_done(client.submit_batch(messages[first : first + BATCH_COUNT]))


def _all_done(outcomes: tuple[Any, ...]) -> None:
    refused = [outcome for outcome in outcomes if not outcome.done]
    if refused:
        message = f"the bench's messages were refused: {refused[0]}"
        raise RuntimeError(message)


def _signed_day(node: EmbeddedNode, day: int, turn: int) -> list[bytes]:
    """One block: a day of all meters, complete and plausible, as signed messages of at most 2,000 meters."""
    values = np.random.default_rng([turn, day]).integers(
        0, CAPACITY_KW * 250, (METERS_COUNT, SLOTS_PER_DAY), dtype=np.int32
    )
    client = _client(node, GRID_ID, "grid_company-meter")
    return [
        client.seal(
            [
                SubmitReadings(
                    day,
                    tuple(range(first + 1, first + 1 + METERS_MAX_COUNT)),
                    values[first : first + METERS_MAX_COUNT].astype("<i4").tobytes(),
                )
            ],
            message_id=derived_id("bench", str(turn), str(day), str(first)),
        )
        for first in range(0, METERS_COUNT, METERS_MAX_COUNT)
    ]
