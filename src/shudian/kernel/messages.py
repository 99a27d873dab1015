"""What contracts are made of, seen from the machine: messages with their authority, events, settings, invariants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from shudian.kernel.codec import Record
from shudian.kernel.outcomes import Refusal, Reply
from shudian.kernel.tables import Key, Table

if TYPE_CHECKING:
    from shudian.kernel.machine import BlockContext, Context

PUBLIC = "public"
MEMBERS = "members"
PARTIES = "parties"
NUMBERS_PER_CONTRACT = 1_000


@dataclass(frozen=True)
class Authority:
    """Who may say a message: declared on the message, asked for by the machine through the roles port.

    kinds: kinds of member that may send; empty means applicants without a membership. role: what every signer must hold.
    signers: how many persons must sign. second_signer_setting: a governance setting in fen; from that :meth:`Message.band_fen` on,
    one signer more is needed (four eyes). sees: who may read it (public, members, parties). when_zh, when_en: the precondition.
    active_only: whether the member must be in good standing; if not, suspended members and applicants may say it too, frozen ones never.
    """

    kinds: tuple[str, ...]
    role: str
    when_zh: str
    when_en: str
    signers: int = 1
    second_signer_setting: str = ""
    sees: str = PARTIES
    active_only: bool = True


class Message(Record, tag=True):
    """Base of what may be said; the class name is the tag, unique over all contracts."""

    authority: ClassVar[Authority]

    def check(self) -> None:
        """Refuse what is wrong whatever the state; no state is known here."""

    def band_fen(self) -> int:
        """The amount that four-eyes bands look at; 0 where the message moves no money."""
        return 0


class Event(Record, tag=True, kw_only=True):
    """Base of what happened: past tense, versioned, with all that a reader needs.

    deed: the root id of the story it belongs to, ``noun:id``. parties: members concerned. also: further deeds on whose
    timeline it stands too.
    """

    step: ClassVar[str] = ""
    zh: ClassVar[str] = ""
    en: ClassVar[str] = ""
    version: ClassVar[int] = 1

    deed: str
    parties: tuple[int, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """A dated number or list of numbers kept by governance: every limit, price and rule of the market.

    name: ``contract.what_unit``. count: how many numbers (0: any up to 400). low, high: bounds of each. scoped: whether it has a
    scope (product, tariff class, ...). source: the rule it comes from.
    """

    name: str
    low: int
    high: int
    zh: str
    en: str
    count: int = 1
    scoped: bool = False
    source: str = ""


@dataclass(frozen=True)
class RowInvariant:
    """A promise about each row of a table, tested whenever the row was touched in a block."""

    name: str
    table: Table[Any]
    holds: Callable[[Key, Any], bool]


@dataclass(frozen=True)
class StateInvariant:
    """A promise about the whole state, tested every so many blocks, at start and in ``verify``."""

    name: str
    holds: Callable[["BlockContext"], bool]


Handler = Callable[["Context", Any], Reply | None]
Hook = Callable[["BlockContext"], None]
GenesisIn = Callable[["BlockContext", Mapping[str, Any]], None]


@dataclass(frozen=True)
class Contract:
    """One smart contract as the machine sees it; ``rules.py`` of each contract makes one named ``CONTRACT``.

    number: its thousand in the numbering of refusals. hooks run in order at the end of each block.
    """

    name: str
    number: int
    tables: tuple[Table[Any], ...]
    handlers: Mapping[type[Message], Handler]
    events: tuple[type[Event], ...]
    refusals: tuple[Refusal, ...]
    replies: tuple[type[Reply], ...] = ()
    hooks: tuple[Hook, ...] = ()
    invariants: tuple[RowInvariant | StateInvariant, ...] = ()
    settings: tuple[Setting, ...] = ()
    genesis_in: GenesisIn | None = None


Authorise = Callable[["Context", Message], None]


@dataclass(frozen=True)
class Market:
    """The list of contracts in their order, and the port through which the machine asks who may do what."""

    contracts: tuple[Contract, ...]
    authorise: Authorise
    handlers: Mapping[type[Message], Handler] = field(init=False)
    settings: Mapping[str, Setting] = field(init=False)
    refusals: Mapping[int, Refusal] = field(init=False)

    def __post_init__(self) -> None:
        """Gather and cross-check: names and numbers are unique, a refusal's number belongs to its contract."""
        handlers: dict[type[Message], Handler] = {}
        settings: dict[str, Setting] = {}
        refusals: dict[int, Refusal] = {}
        tags: dict[str, type] = {}
        for contract in self.contracts:
            for kind in (*contract.handlers, *contract.events, *contract.replies):
                if kind.__name__ in tags:
                    message = f"two records are called {kind.__name__}"
                    raise ValueError(message)
                tags[kind.__name__] = kind
            handlers.update(contract.handlers)
            for setting in contract.settings:
                if setting.name in settings or not setting.name.startswith(f"{contract.name}."):
                    message = f"setting {setting.name} is declared twice or by the wrong contract"
                    raise ValueError(message)
                settings[setting.name] = setting
            for refusal in contract.refusals:
                if (
                    refusal.number in refusals
                    or not 0 < refusal.number - NUMBERS_PER_CONTRACT * contract.number < NUMBERS_PER_CONTRACT
                ):
                    message = f"refusal {refusal.number} is declared twice or by the wrong contract"
                    raise ValueError(message)
                refusals[refusal.number] = refusal
        object.__setattr__(self, "handlers", handlers)
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "refusals", refusals)
