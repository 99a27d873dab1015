"""What a smart contract is to the machine, and what its rules get to see.

A contract is a declaration: tables, handlers, hooks, invariants, refusals, settings. A market is a list of them in order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shudian.kernel.cold import ColdStore
from shudian.kernel.envelope import UNREGISTERED
from shudian.kernel.messages import Event, Message, Setting
from shudian.kernel.outcomes import Refusal, Reply
from shudian.kernel.tables import Key, Store, Table

NUMBERS_PER_CONTRACT: Final = 1_000


class BlockContext:
    """What block hooks, genesis and invariants see. Made by hand rather than as a dataclass, whose beginning is not compiled."""

    def __init__(self, store: Store, cold: ColdStore, market: "Market", market_ms: int, events: list[Event]) -> None:
        """``events``: what is told is added here."""
        self.store = store
        self.cold = cold
        self.market = market
        self.market_ms = market_ms
        self.events = events

    def emit(self, event: Event) -> None:
        """Tell what happened."""
        self.events.append(event)


class Context(BlockContext):
    """What a handler sees: the block's, and who speaks."""

    def __init__(
        self,
        store: Store,
        cold: ColdStore,
        market: "Market",
        market_ms: int,
        events: list[Event],
        sender_id: int = UNREGISTERED,
        signers: tuple[bytes, ...] = (),
        height: int = 0,
    ) -> None:
        """``signers``: public keys that signed. ``sender_id``: 0 for an applicant. ``height``: of this block."""
        super().__init__(store, cold, market, market_ms, events)
        self.sender_id = sender_id
        self.signers = signers
        self.height = height


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
    holds: Callable[[BlockContext], bool]


Handler = Callable[[Context, Any], Reply | None]
Hook = Callable[[BlockContext], None]
GenesisIn = Callable[[BlockContext, Mapping[str, Any]], None]


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


Authorise = Callable[[Context, Message], None]


@dataclass(frozen=True)
class Market:
    """The list of contracts in their order, and the port through which the machine asks who may do what.

    messages: all that may be said, exactly those that have a handler.
    """

    contracts: tuple[Contract, ...]
    authorise: Authorise
    messages: tuple[type[Message], ...]
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
        if set(self.messages) != set(handlers):
            message = f"messages without a handler, or handlers without a message: {set(self.messages) ^ set(handlers)}"
            raise ValueError(message)
        object.__setattr__(self, "handlers", handlers)
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "refusals", refusals)
