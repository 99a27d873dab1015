"""Who is on stage: the companies of the sandbox world, their keys, and what each can read.

Every key follows from the seed, so a run that was interrupted can go on, and the same seed gives the same chain anywhere. Nothing
else is remembered between steps: what a member decides follows from the world and from what it reads on the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shudian.client.client import Client, Transport
from shudian.contracts.roles import Kind, Role
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.ids import derived_id
from shudian.kernel.messages import Message
from shudian.node.founding import Founder
from shudian.sandbox.bidding import Bid
from shudian.sandbox.companies import Company
from shudian.sandbox.world import World

EXCHANGE, GRID, BANK, REGULATOR = "exchange", "grid", "bank_jinjiang", "regulator"
KIND_OF = {"grid": Kind.GRID_COMPANY}
FOUNDER_ROLES = {
    EXCHANGE: (Role.ADMIN, Role.OPERATOR, Role.REVIEWER, Role.FINANCE),
    GRID: (Role.ADMIN, Role.TRADER, Role.FINANCE, Role.METER, Role.DISPATCHER),
    BANK: (Role.ADMIN, Role.TELLER, Role.FINANCE),
    REGULATOR: (Role.ADMIN, Role.OFFICER),
}
MEMBER_ROLES = (Role.ADMIN, Role.TRADER, Role.FINANCE)
ANY_OUTCOME = -1


@dataclass(frozen=True)
class Act:
    """One envelope: who says what. label: unique within the step. expected: outcome number of each message, or ANY_OUTCOME.

    four_eyes: a second person of the same role signs too.
    """

    company: str
    role: Role
    label: str
    messages: tuple[Message, ...]
    expected: int = 0
    as_applicant: bool = False
    four_eyes: bool = False


def second(role: Role) -> str:
    """The name of the second person of a role."""
    return f"{role}2"


def kind_of(company: Company) -> Kind:
    """The ledger's kind of a sandbox company."""
    return KIND_OF.get(company.kind) or Kind(company.kind)


def seed_of(seed: int, name: str) -> bytes:
    """The secret seed of a role's key: sandbox chains only, where nothing is secret."""
    return sha256(f"shudian/sandbox/{seed}/{name}".encode())


class Stage:
    """The world, the transport to its ledger, and the clients of all roles."""

    def __init__(self, world: World, transport: Transport) -> None:
        """Set the stage for a world on a ledger."""
        self.world = world
        self.transport = transport
        self._keys: dict[str, SigningKey] = {}
        self._member_ids: dict[str, int] = {}
        self.intents: dict[tuple[str, int], list[Bid]] = {}

    def key(self, company: str, role: str) -> SigningKey:
        """The key of a company's role; of its second person for ``second(role)``."""
        name = f"{company}-{role}"
        if name not in self._keys:
            self._keys[name] = SigningKey(seed_of(self.world.seed, name))
        return self._keys[name]

    @cached_property
    def joiners(self) -> tuple[Company, ...]:
        """Companies that have to apply."""
        return tuple(company for company in self.world.companies if company.key not in FOUNDER_ROLES)

    @cached_property
    def traders(self) -> tuple[Company, ...]:
        """Companies that trade energy, without the grid company."""
        return self.world.companies_of("generator", "retailer", "user")

    @cached_property
    def financiers(self) -> tuple[Company, ...]:
        """Banks that finance receivables; the settlement bank keeps to its counter."""
        return tuple(bank for bank in self.world.companies_of("bank") if bank.key != BANK)

    def member_id(self, company: str) -> int:
        """The member number that the ledger gave to a company."""
        if company not in self._member_ids:
            rows = self.transport.query(0, "identity.register")
            by_code = {row["uscc"]: row["member_id"] for row in rows}
            self._member_ids = {one.key: by_code[one.uscc] for one in self.world.companies if one.uscc in by_code}
        return self._member_ids[company]

    def client(self, company: str, role: Role, *, four_eyes: bool = False) -> Client:
        """The client of a company's role, with the second person's key for four eyes."""
        names = (role, second(role)) if four_eyes else (role,)
        return Client(self.transport, self.member_id(company), [self.key(company, name) for name in names])

    def query(self, company: str, name: str, /, **filters: Any) -> Any:
        """Run a query as a company."""
        return self.transport.query(self.member_id(company), name, **filters)


def step_message_id(stage: Stage, step_key: str, label: str) -> bytes:
    """The message id of an act: it follows from seed, step and label, so that a repeat is the same message."""
    return derived_id("sandbox", str(stage.world.seed), step_key, label)


def founders(world: World) -> tuple[Founder, ...]:
    """The institutions of the sandbox, members from genesis on."""
    by_key = world.company_by_key
    return tuple(
        Founder(kind_of(by_key[key]), by_key[key].name_zh, by_key[key].name_en, by_key[key].uscc, roles)
        for key, roles in FOUNDER_ROLES.items()
    )


def batch(
    company: str, role: Role, label: str, messages: Sequence[Message], expected: int = 0, *, four_eyes: bool = False
) -> Act:
    """An act of many messages in one envelope."""
    return Act(company, role, label, tuple(messages), expected, four_eyes=four_eyes)
