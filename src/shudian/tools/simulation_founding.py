"""The market on which every simulated world begins: its members and their keys, resources, readings, certificates and one open session."""

from functools import cache
from typing import Any

from stdnum.cn import uscc

from shudian.contracts.agreements.messages import Method
from shudian.contracts.certificates.messages import FileProject, IssueCertificates
from shudian.contracts.metering.messages import BindMeter, Direction, SubmitReadings
from shudian.contracts.metering.rules_slots import pack
from shudian.contracts.resources.messages import (
    Decision,
    DispatchLevel,
    Fuel,
    RegisterResource,
    ResourceType,
    ReviewResource,
    TariffClass,
    Voltage,
)
from shudian.contracts.trading.messages import OpenSession, Product
from shudian.kernel import clock
from shudian.kernel.codec import encode
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.envelope import EpochKey, seal
from shudian.kernel.ids import derived_id
from shudian.kernel.machine import WALL
from shudian.kernel.messages import Message
from shudian.kernel.units import SLOTS_PER_DAY
from shudian.node.embedded import EmbeddedNode
from shudian.node.founding import found
from shudian.node.genesis import Genesis
from shudian.node.simulated import NODE, Founded, at_rest, scratch, that

CHAIN_ID = "simulated"
EXCHANGE, GRID, BANK, REGULATOR, WIND, STEEL, PAPER = range(1, 8)
COMPANIES = (WIND, STEEL, PAPER)
OWNERS = (GRID, *COMPANIES)
OPENING_FEN = {GRID: 50_000_000, WIND: 20_000_000, STEEL: 40_000_000, PAPER: 100_000}
START_MS = 1_785_200_000_000
"""2026-07-28 at UTC+8."""
GREEN_MONTH, GREEN_DAYS = 202606, (20260629, 20260630)
GREEN_MS = clock.ms_at(GREEN_DAYS[0], 9)
SLOT_WH = 250_000
CERTS = range(1, 1 + len(GREEN_DAYS) * SLOTS_PER_DAY * SLOT_WH // 1_000_000)
"""Serial numbers of the wind farm's certificates: 48 of its first month."""
_PREFIX = {EXCHANGE: "exchange", GRID: "grid_company", BANK: "bank", REGULATOR: "regulator"}


@cache
def key_of(name: str) -> SigningKey:
    """The signing key of a person, by the name that :func:`name_of` gives."""
    return SigningKey(sha256(f"simulated {name}".encode()))


def name_of(member_id: int, role: str) -> str:
    """The name of a member's person in a role."""
    return f"{_PREFIX.get(member_id, member_id)}-{role}"


def _company(member_id: int) -> dict[str, Any]:
    base = f"91510100MA{member_id:07d}"
    persons = [
        {"public_key": key_of(name_of(member_id, role)).public_key.hex(), "roles": [role]}
        for role in ("admin", "trader", "finance")
    ]
    return {
        "kind": "generator" if member_id == WIND else "user",
        "name_zh": f"公司{member_id}",
        "name_en": f"Company {member_id}",
        "uscc": base + uscc.calc_check_digit(base),
        "persons": persons,
    }


def _genesis() -> Genesis:
    genesis = found(CHAIN_ID, WALL, START_MS, lambda name: key_of(name).public_key)
    genesis.sections["identity"]["members"] += [_company(member_id) for member_id in COMPANIES]
    digest = sha256(b"account number").hex()
    accounts = [
        {"owner_id": owner_id, "bank_id": BANK, "bank_account_digest": digest, "opening_fen": fen}
        for owner_id, fen in OPENING_FEN.items()
    ]
    genesis.sections["funds"] = {"accounts": accounts}
    return genesis


def _resource(member_id: int) -> RegisterResource:
    names = (f"资源{member_id}", f"Resource {member_id}")
    if member_id == WIND:
        return RegisterResource(
            ResourceType.PLANT, *names, 5_000, Voltage.KV110, fuel=Fuel.WIND, dispatch_level=DispatchLevel.PROVINCIAL
        )
    return RegisterResource(
        ResourceType.LOAD,
        *names,
        4_000,
        Voltage.KV110,
        tariff_class=TariffClass.TWO_PART,
        contract_demand_kw=4_000,
    )


def _first_acts() -> list[tuple[int, str, Message]]:
    """Resources with meters, and the wind farm's filing, at the end of its first month."""
    acts: list[tuple[int, str, Message]] = []
    for resource_id, member_id in enumerate(COMPANIES, 1):
        direction = Direction.GENERATION if member_id == WIND else Direction.LOAD
        first_day = GREEN_DAYS[0] if member_id == WIND else clock.day_after(clock.day_of(START_MS), 1)
        bind = BindMeter(f"SC-{member_id}", resource_id, direction, first_day)
        acts += [
            (member_id, "admin", _resource(member_id)),
            (EXCHANGE, "reviewer", ReviewResource(resource_id, Decision.APPROVE)),
            (GRID, "meter", bind),
        ]
    acts.append((EXCHANGE, "reviewer", FileProject(1, 20230101, fully_in_market=True)))
    return acts


def _later_acts() -> list[tuple[int, str, Message]]:
    """The farm's readings and certificates, and one session that stays open: the session's number is 1."""
    day_wh = pack((SLOT_WH,) * SLOTS_PER_DAY)
    acts: list[tuple[int, str, Message]] = [(GRID, "meter", SubmitReadings(day, (1,), day_wh)) for day in GREEN_DAYS]
    acts.append((EXCHANGE, "operator", IssueCertificates(GREEN_MONTH, (1,))))
    day = clock.day_after(clock.day_of(START_MS), 5)
    gate = (START_MS, START_MS + 2 * clock.DAY_MS)
    acts.append((EXCHANGE, "operator", OpenSession(Method.ROLLING, Product.DAILY, day, day, (10, 11), *gate)))
    return acts


def _sealed(act_no: int, sender_id: int, role: str, message: Message, expires_ms: int, epoch: EpochKey) -> bytes:
    keys = [key_of(name_of(sender_id, role))]
    message_id = derived_id("opening", str(act_no), str(expires_ms))
    return seal(CHAIN_ID, sender_id, message_id, expires_ms, encode([message]), keys, epoch, atomic=False)


@cache
def founded() -> tuple[Founded, EpochKey]:
    """The ledger on which every run begins, made once per process; few blocks, because each run executes them again."""
    now_ms = GREEN_MS
    node_key = key_of("node")
    with scratch() as folder:
        node = EmbeddedNode.create(folder / "chain", _genesis(), node_key, now_ms=lambda: now_ms)
        try:
            epoch = node.epoch
            for acts, at_ms in ((_first_acts(), GREEN_MS), (_later_acts(), START_MS + 1_000)):
                now_ms = at_ms
                envelopes = [_sealed(act_no, *act, now_ms + clock.HOUR_MS, epoch) for act_no, act in enumerate(acts)]
                for act, outcomes in zip(acts, node.submit(envelopes), strict=True):
                    that(outcomes[0].done, NODE, f"the opening is refused: {act} {outcomes}")
            height = node.height
        finally:
            node.close()
        return Founded(at_rest(folder / "chain"), height, node_key, now_ms), epoch
