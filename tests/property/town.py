"""A small market on a real chain in memory: four institutions, two plants, two users, a retailer, all with keys, money and meters."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from stdnum.cn import uscc

from shudian.contracts.metering.messages import BindMeter, Direction
from shudian.contracts.resources.messages import (
    Decision,
    DispatchLevel,
    Fuel,
    RegisterResource,
    Regulation,
    ResourceType,
    ReviewResource,
    TariffClass,
    Voltage,
)
from shudian.contracts.trading.messages import Side
from shudian.kernel.answers import ANSWERS
from shudian.kernel.codec import encode
from shudian.kernel.contract import BlockContext
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.envelope import Envelope, Signature, seal
from shudian.kernel.ids import derived_id
from shudian.kernel.machine import STEPPED, Applied, Machine
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import Outcome
from shudian.market import MARKET
from shudian.node.founding import found
from shudian.node.genesis import default_settings
from tests.property import auditor, auditor_trading
from tests.property.auditor import start_of
from tests.property.auditor_metering import Meter
from tests.property.auditor_settlement import HOLIDAYS, WORKDAYS
from tests.support.ledger import EPOCH, SECRETS

CHAIN_ID = "test"
EXCHANGE, GRID, BANK, REGULATOR, HYDRO, WIND, STEEL, PAPER, SHOP = range(1, 10)
COMPANIES = (HYDRO, WIND, STEEL, PAPER, SHOP)
OWNERS = (GRID, *COMPANIES)
PREFIX = {EXCHANGE: "exchange", GRID: "grid_company", BANK: "bank", REGULATOR: "regulator"}
KINDS = {HYDRO: "generator", WIND: "generator", STEEL: "user", PAPER: "user", SHOP: "retailer"}
OPENING = {GRID: 50_000_000, HYDRO: 1_000_000, WIND: 4_000, STEEL: 40_000_000, PAPER: 100_000, SHOP: 3_000_000}
CAPACITY_KW = {HYDRO: 5_000, WIND: 2_000, STEEL: 4_000, PAPER: 1_000, SHOP: 2_000}
FIRST_DAY = 20260728
"""Metering begins on a Tuesday four days before the month ends: the first month is tiny, the second a whole one."""
START_MS = start_of(20260726) + 9 * 3_600_000
HOUR_MS = 3_600_000
LASTS_MS = HOUR_MS
"""How long a message may still enter."""

FOUR_EYES = {
    "funds.payout_second_signer_from_fen": auditor.PAYOUT_FOUR_EYES_FEN,
    "funds.deposit_second_signer_from_fen": auditor.DEPOSIT_FOUR_EYES_FEN,
}
_CHANGED: dict[tuple[str, str], Sequence[int]] = {
    **{(name, ""): (fen,) for name, fen in FOUR_EYES.items()},
    ("funds.deposit_max_fen", ""): (auditor.DEPOSIT_MAX_FEN,),
    ("funds.payout_max_fen", ""): (auditor.PAYOUT_MAX_FEN,),
    ("funds.payout_expiry_ms", ""): (auditor.PAYOUT_EXPIRY_MS,),
    ("trading.orders_max_count", ""): (auditor_trading.ORDERS_MAX_COUNT,),
    ("governance.holidays_day", ""): HOLIDAYS,
    ("governance.workdays_day", ""): WORKDAYS,
    **{
        (f"trading.{name}", product): (getattr(rules, name),)
        for product, rules in auditor_trading.PRODUCTS.items()
        for name in ("lot_kwh", "price_floor_myuan_mwh", "order_max_kwh")
    },
}


@cache
def key_of(name: str) -> SigningKey:
    return SigningKey(sha256(name.encode()))


def _settings() -> list[dict[str, Any]]:
    shipped = [entry for entry in default_settings() if (entry["name"], entry.get("scope", "")) not in _CHANGED]
    changed = [
        {"name": name, "scope": scope, "from_day": 20260101, "values": list(values), "source": "test"}
        for (name, scope), values in _CHANGED.items()
    ]
    return [*shipped, *changed]


def _company(member_id: int) -> dict[str, Any]:
    base = f"91510100MA{member_id:07d}"
    return {
        "kind": KINDS[member_id],
        "name_zh": f"公司{member_id}",
        "name_en": f"Company {member_id}",
        "uscc": base + uscc.calc_check_digit(base),
        "persons": [_person(member_id, name) for name in ("admin", "trader", "finance", "finance2")],
    }


def _person(member_id: int, name: str) -> dict[str, Any]:
    return {"public_key": key_of(_key_name(member_id, name)).public_key.hex(), "roles": [name.rstrip("2")]}


def _key_name(member_id: int, name: str) -> str:
    return f"{PREFIX.get(member_id, member_id)}-{name}"


def _sections() -> dict[str, Any]:
    sections = found(CHAIN_ID, STEPPED, START_MS, lambda name: key_of(name).public_key, settings=_settings()).sections
    members = sections["identity"]["members"]
    members[BANK - 1]["persons"].append(_person(BANK, "teller2"))
    members[GRID - 1]["persons"].append(_person(GRID, "finance2"))
    members += [_company(member_id) for member_id in COMPANIES]
    digest = sha256(b"account number").hex()
    sections["funds"] = {
        "accounts": [
            {"owner_id": member_id, "bank_id": BANK, "bank_account_digest": digest, "opening_fen": fen}
            for member_id, fen in OPENING.items()
        ]
    }
    return sections


def _resource(member_id: int) -> RegisterResource:
    capacity_kw = CAPACITY_KW[member_id]
    if KINDS[member_id] == "generator":
        is_hydro = member_id == HYDRO
        return RegisterResource(
            ResourceType.PLANT,
            f"电厂{member_id}",
            f"Plant {member_id}",
            capacity_kw,
            Voltage.KV110,
            fuel=Fuel.HYDRO if is_hydro else Fuel.WIND,
            river="Yalong" if is_hydro else "",
            regulation=Regulation.SEASONAL if is_hydro else Regulation.NONE,
            dispatch_level=DispatchLevel.PROVINCIAL,
        )
    return RegisterResource(
        ResourceType.LOAD,
        f"用户{member_id}",
        f"Load {member_id}",
        capacity_kw,
        Voltage.KV110 if member_id == STEEL else Voltage.KV1_10,
        tariff_class=TariffClass.TWO_PART if member_id == STEEL else TariffClass.SINGLE_RATE,
        contract_demand_kw=capacity_kw,
    )


def _direction(member_id: int) -> Direction:
    return Direction.GENERATION if KINDS[member_id] == "generator" else Direction.LOAD


def meters() -> dict[int, Meter]:
    return {
        meter_id: Meter(
            member_id,
            -1 if KINDS[member_id] == "generator" else 1,
            CAPACITY_KW[member_id],
            FIRST_DAY,
            transmission_e8yuan_kwh={STEEL: 6_440_000, PAPER: 22_990_000, SHOP: 22_990_000}.get(member_id, 0),
            demand_fen=4_000 * 2_700 if member_id == STEEL else 0,
        )
        for meter_id, member_id in enumerate(COMPANIES, 1)
    }


def changed(envelope: Envelope, **fields: Any) -> Envelope:
    values = {name: getattr(envelope, name) for name in Envelope.__struct_fields__}
    return Envelope(**{**values, **fields})


def resigned(envelope: Envelope, key: SigningKey) -> bytes:
    """The same act under another's signature."""
    return encode(changed(envelope, signatures=(Signature(key.public_key, key.sign(envelope.signed_bytes())),)))


def capability_kw() -> dict[tuple[int, Side], int]:
    """What each company can sell or buy."""
    return {
        (member_id, Side.SELL if KINDS[member_id] == "generator" else Side.BUY): kw
        for member_id, kw in CAPACITY_KW.items()
    }


class Chain:
    """A machine in memory with the real market; each envelope is a block of its own."""

    def __init__(self) -> None:
        self.blobs: dict[bytes, bytes] = {}
        self.machine = Machine(MARKET, CHAIN_ID, self.blobs.get, SECRETS)
        self.sealed_count = 0

    @property
    def now_ms(self) -> int:
        return self.machine.market_ms

    def context(self) -> BlockContext:
        return BlockContext(self.machine.store, self.machine.cold, self.machine.market, self.now_ms, [])

    def keep(self, applied: Applied) -> Applied:
        self.blobs.update(applied.cold)
        self.machine.settle()
        self.last = applied
        assert not applied.faults, applied.faults
        return applied

    def block(self, data: bytes) -> tuple[Outcome, ...]:
        """Apply one envelope as a block of its own."""
        return self.keep(self.machine.apply(self.now_ms, self.machine.door.open_all([data]))).outcomes[0]

    def told(self, kind: type[Any]) -> list[Any]:
        """Events of a kind in the last block."""
        return [one for _, one in self.last.events if isinstance(one, kind)]

    def seal(self, sender_id: int, message: Message, names: Sequence[str]) -> bytes:
        self.sealed_count += 1
        keys = [key_of(_key_name(sender_id, name)) for name in names]
        message_id = derived_id("play", str(self.sealed_count))
        return seal(
            CHAIN_ID, sender_id, message_id, self.now_ms + LASTS_MS, encode([message]), keys, EPOCH, atomic=False
        )


@cache
def founded() -> tuple[int, tuple[tuple[str, bytes, bytes, int], ...]]:
    """Height and rows of the chain on which every play begins: members, accounts, resources, meters."""
    chain = Chain()
    chain.keep(chain.machine.genesis(STEPPED, START_MS, _sections(), EPOCH.public_key))
    for resource_id, member_id in enumerate(COMPANIES, 1):
        bind = BindMeter(f"SC-{member_id}", resource_id, _direction(member_id), FIRST_DAY)
        for sender_id, name, message in (
            (member_id, "admin", _resource(member_id)),
            (EXCHANGE, "reviewer", ReviewResource(resource_id, Decision.APPROVE)),
            (GRID, "meter", bind),
        ):
            assert chain.block(chain.seal(sender_id, message, (name,)))[0].done
    rows = [
        (table, encode(key), encode(row), held.versions[key])
        for table, held in chain.machine.store.rows.items()
        if table != ANSWERS.name
        for key, row in held.data.items()
    ]
    return chain.machine.height, tuple(rows)
