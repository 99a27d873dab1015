"""The machine: applies blocks of envelopes to the tables, one handler per message, deterministic to the byte.

A message passes: envelope opened (size, form, signatures) -> expiry and repetition -> authority -> its contract's handler, which
refuses with a number or writes and emits. At the end of the block the clock moves, hooks run in contract order, invariants are
tested and the app hash follows. The machine keeps no files: the node makes a block durable, then calls :meth:`Machine.settle`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shudian.kernel import check
from shudian.kernel.answers import ANSWERS, HOOK_EVENTS, Answer, HookEvents
from shudian.kernel.clock import DAY_MS
from shudian.kernel.clock import STEPPED as STEPPED
from shudian.kernel.clock import WALL as WALL
from shudian.kernel.clock import Clock as Clock
from shudian.kernel.codec import decode, encode, union_of
from shudian.kernel.cold import ColdStore, Fetch
from shudian.kernel.contract import BlockContext, Context, Contract, Market, RowInvariant, StateInvariant
from shudian.kernel.crypto import sha256
from shudian.kernel.door import Door
from shudian.kernel.envelope_records import EpochKey
from shudian.kernel.epochs import (
    EPOCHS,
    FIRST_EPOCH,
    NO_SECRETS,
    BegunSecrets,
    Epoch,
    Secrets,
    epoch_in_force,
    need_secret,
)
from shudian.kernel.merkle import Step
from shudian.kernel.messages import Event, Message
from shudian.kernel.opened import Arrival, Opened
from shudian.kernel.outcomes import (
    BATCH_FAILED,
    EPOCH_NOT_IN_FORCE,
    EXPIRY_TOO_FAR,
    ID_USED_FOR_ANOTHER,
    INTERNAL_FAULT,
    KERNEL_REFUSALS,
    MESSAGE_EXPIRED,
    Outcome,
    Refusal,
    Refused,
    Reply,
    both,
    refused,
)
from shudian.kernel.repeats import AnswerKey, FirstAnswers, answer_key
from shudian.kernel.roots import CLOCK_TABLE, StateRoots
from shudian.kernel.tables import SEQUENCES, Change, Store, Table, encode_key
from shudian.kernel.units import remainder

EXPIRY_MAX_MS: Final = DAY_MS
FULL_CHECK_EVERY_BLOCKS: Final = 256


CLOCK = Table(CLOCK_TABLE, Clock, ())
KERNEL_TABLES: tuple[Table[Any], ...] = (SEQUENCES, CLOCK, ANSWERS, HOOK_EVENTS, EPOCHS)


@dataclass(frozen=True)
class Applied:
    """What a block did. outcomes: per envelope, per message. told: the events of each envelope, and after the last those of hooks.

    changes: rows to store. cold: blobs to store. clock_path: from the clock's leaf to the app hash. faults: texts of our own failures,
    to be told loudly. state_key: of the epoch in force in the block, which blinds its results; secret.
    """

    market_ms: int
    outcomes: list[tuple[Outcome, ...]]
    told: list[list[Event]]
    changes: list[Change]
    cold: list[tuple[bytes, bytes]]
    app_hash: bytes
    clock_path: tuple[Step, ...]
    faults: list[str]
    state_key: bytes = field(repr=False)

    @property
    def events(self) -> list[tuple[int, Event]]:
        """All events in their order, each with the place of its envelope, -1 for those of hooks; made anew at every call."""
        return placed_events(self.told)


def placed_events(told: list[list[Event]]) -> list[tuple[int, Event]]:
    """The events of envelopes, and in the last list those of hooks, each with the place of its envelope or -1."""
    hooks_place = len(told) - 1
    return [(-1 if place == hooks_place else place, event) for place, events in enumerate(told) for event in events]


class Machine:
    """The state of one chain and the way to move it forward."""

    def __init__(self, market: Market, chain_id: str, fetch_cold: Fetch, secrets: Secrets = NO_SECRETS) -> None:
        """An empty state; fill it by :meth:`genesis` or :meth:`load`. secrets: of the epochs, without which nothing can be executed."""
        self.market = market
        self.chain_id = chain_id
        contract_tables = tuple(table for contract in market.contracts for table in contract.tables)
        self.store = Store((*KERNEL_TABLES, *contract_tables))
        self._answers = FirstAnswers(self.store)
        self.cold = ColdStore(fetch_cold)
        self.roots = StateRoots(("kernel", *(contract.name for contract in market.contracts)))
        self.height = 0
        self.secrets = secrets
        self.door = self.door_with(BegunSecrets(secrets, self.store))
        self.event_type: Any = union_of([kind for contract in market.contracts for kind in contract.events])
        self.reply_type: Any = union_of([kind for contract in market.contracts for kind in contract.replies])
        self.refusals: Mapping[int, Refusal] = {
            **{refusal.number: refusal for refusal in KERNEL_REFUSALS},
            **market.refusals,
        }
        self._row_invariants: dict[str, list[RowInvariant]] = {}
        for invariant in self._invariants():
            if isinstance(invariant, RowInvariant):
                self._row_invariants.setdefault(invariant.table.name, []).append(invariant)
        self._not_answers = frozenset(number for number, refusal in self.refusals.items() if not refusal.uses_id)
        self._next_epoch = (0, FIRST_EPOCH)
        """Height of the block that comes next, once that was asked for, and the epoch that holds in it."""

    def door_with(self, secrets: Secrets) -> Door:
        """A door of this chain and market that opens with other secrets, for a process that has no state."""
        return Door(self.chain_id, self.market.messages, secrets)

    @property
    def market_ms(self) -> int:
        """Market time now."""
        return CLOCK.need(self.store).market_ms

    @property
    def clock_mode(self) -> str:
        """``wall`` or ``stepped``."""
        return CLOCK.need(self.store).mode

    def genesis(
        self, clock_mode: str, start_ms: int, sections: Mapping[str, Mapping[str, Any]], epoch_public_key: bytes
    ) -> Applied:
        """Make the first state: the clock and the first epoch, then each contract takes in its section."""
        check.that(clock_mode in (WALL, STEPPED), "the clock is wall or stepped")
        unknown = sorted(section for section in sections if section not in {c.name for c in self.market.contracts})
        check.that(not unknown, f"genesis sections belong to contracts: {unknown}")
        CLOCK.put(self.store, (), Clock(clock_mode, start_ms))
        EPOCHS.put(self.store, (FIRST_EPOCH,), Epoch(epoch_public_key, 0, start_ms))
        context = self._block_context(start_ms)
        for contract in self.market.contracts:
            if contract.genesis_in is not None:
                contract.genesis_in(context, sections.get(contract.name, {}))
        self.height = -1
        self._keep_hook_events(context.events)
        return self._finish(context.market_ms, [], [context.events], [])

    def _keep_hook_events(self, events: list[Event]) -> None:
        """Events of hooks belong to no envelope, so no result proves them: a row of the state does."""
        if events:
            HOOK_EVENTS.put(self.store, (), HookEvents(self.height + 1, sha256(encode(events))))

    def apply(self, block_ms: int, arrivals: Iterable[Arrival]) -> Applied:
        """Apply one block of envelopes that went through the door. ``block_ms`` is the header's time; only a wall clock takes it as market time.

        Whatever ``arrivals`` raises on the way leaves the block half applied: the machine is good for no further one.
        """
        clock = CLOCK.need(self.store)
        if clock.mode == WALL and block_ms > clock.market_ms:
            clock = Clock(WALL, block_ms)
            CLOCK.put(self.store, (), clock)
        now_ms = clock.market_ms
        faults: list[str] = []
        told: list[list[Event]] = []
        outcomes: list[tuple[Outcome, ...]] = []
        for arrival in arrivals:
            answers, events = self._apply_arrival(arrival, now_ms, faults)
            outcomes.append(answers)
            told.append(events)
        end_ms = self.market_ms
        context = self._block_context(end_ms)
        for contract in self.market.contracts:
            for hook in contract.hooks:
                hook(context)
        told.append(context.events)
        self._keep_hook_events(context.events)
        self._answers.end_block(self.height + 1, end_ms)
        return self._finish(end_ms, outcomes, told, faults)

    def _apply_arrival(
        self, arrival: Arrival, now_ms: int, faults: list[str]
    ) -> tuple[tuple[Outcome, ...], list[Event]]:
        if isinstance(arrival, Refused):
            return (refused(arrival),), []
        key = answer_key(arrival)
        try:
            answered = self._first_answer(key, arrival, now_ms)
        except Refused as error:
            return (refused(error),), []
        if answered is not None:
            return answered.outcomes, []
        outcomes, events = self._execute(arrival, now_ms, faults)
        if self.uses_id(outcomes):
            self._answers.keep(key, Answer(key[0], key[1], arrival.expires_ms, arrival.digest, outcomes))
        return outcomes, events

    def uses_id(self, outcomes: tuple[Outcome, ...]) -> bool:
        """Whether an envelope's outcomes are the answer to its id for good; not if all it says is that the signers may not speak."""
        for outcome in outcomes:  # noqa: SIM110 - any() would make a generator for every envelope; the first outcome nearly always decides
            if outcome.number not in self._not_answers:
                return True
        return False

    def first_answer(self, opened: Opened[Message], now_ms: int) -> Answer | None:
        """The stored answer if the envelope is a repeat; None if it is new and in time.

        Raises:
            Refused: 1007-1009, 1015.
        """
        return self._first_answer(answer_key(opened), opened, now_ms)

    def _first_answer(self, key: AnswerKey, opened: Opened[Message], now_ms: int) -> Answer | None:
        answered = self._answers.of(key)
        if answered is not None:
            if answered.digest != opened.digest:
                raise ID_USED_FOR_ANOTHER("id", opened.id.hex(), both("新的编号", "a new id"))
            return answered
        if opened.expires_ms <= now_ms:
            raise MESSAGE_EXPIRED("expires_ms", opened.expires_ms, f"> {now_ms}")
        if opened.expires_ms > now_ms + EXPIRY_MAX_MS:
            raise EXPIRY_TOO_FAR("expires_ms", opened.expires_ms, f"<= {now_ms + EXPIRY_MAX_MS}")
        height, epoch_no = self._next_epoch
        if height != self.height + 1:  # what begins in a block holds from the one after it
            height, epoch_no = self._next_epoch = (self.height + 1, self.epoch_at(self.height + 1))
        # the one before is still taken: a rotation loses no message on its way
        if not epoch_no - 1 <= opened.epoch_no <= epoch_no:
            raise EPOCH_NOT_IN_FORCE("epoch_no", opened.epoch_no, f"{max(epoch_no - 1, FIRST_EPOCH)}..{epoch_no}")
        return None

    def _execute(
        self, opened: Opened[Message], now_ms: int, faults: list[str]
    ) -> tuple[tuple[Outcome, ...], list[Event]]:
        messages = opened.messages
        start = self.store.mark()
        outcomes: list[Outcome] = []
        events: list[Event] = []
        context = Context(
            self.store, self.cold, self.market, now_ms, events, opened.sender_id, opened.signers, self.height + 1
        )
        for place, message in enumerate(messages):
            mark, told_count = self.store.mark() if place else start, len(events)
            outcome = self._handle(context, message, faults)
            if outcome.number:
                self.store.rollback(mark)
                del events[told_count:]
                if opened.atomic:
                    self.store.rollback(start)
                    failed = Outcome(BATCH_FAILED.number, "body", str(len(outcomes)))
                    before, after = len(outcomes), len(messages) - len(outcomes) - 1
                    return (*[failed] * before, outcome, *[failed] * after), []
            outcomes.append(outcome)
        return tuple(outcomes), events

    def _handle(self, context: Context, message: Message, faults: list[str]) -> Outcome:
        try:
            self.market.authorise(context, message)
            reply = self.market.handlers[type(message)](context, message)
        except Refused as error:
            return refused(error)
        except (MemoryError, RecursionError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours must not stop every replica; it is told loudly
            faults.append(f"{type(message).__name__}: {type(error).__name__}: {error}")
            return Outcome(INTERNAL_FAULT.number)
        return Outcome(0, "", "", "", b"" if reply is None else encode(reply))

    def _block_context(self, market_ms: int) -> BlockContext:
        return BlockContext(self.store, self.cold, self.market, market_ms, [])

    def _finish(
        self,
        market_ms: int,
        outcomes: list[tuple[Outcome, ...]],
        told: list[list[Event]],
        faults: list[str],
    ) -> Applied:
        self.height += 1
        self.store.write_sequences()
        changes = self._changes()
        if self.height and remainder(self.height, FULL_CHECK_EVERY_BLOCKS) == 0:
            self.check_all()
        state_key = self.state_key_at(self.height)
        self.roots.update(changes, lambda _height: state_key)
        roots = (self.roots.app_hash(), self.roots.clock_path())
        return Applied(market_ms, outcomes, told, changes, self.cold.pending(), *roots, faults, state_key)

    def settle(self) -> None:
        """The block is durable: forget undo log and touched rows."""
        self.store.settle()
        self.cold.settle()

    def _invariants(self) -> list[RowInvariant | StateInvariant]:
        return [invariant for contract in self.market.contracts for invariant in contract.invariants]

    def _changes(self) -> list[Change]:
        """The rows that the block wrote, each tested, given the block's height as its version, and encoded."""
        height = self.height
        changes: list[Change] = []
        for rows, keys in self.store.touched():
            table, data, versions = rows.table.name, rows.data, rows.versions
            invariants = self._row_invariants.get(table, ())
            for key in keys:
                row = data.get(key)
                if row is None:
                    versions.pop(key, None)
                    changes.append((table, encode_key(key), None, height))
                    continue
                for invariant in invariants:
                    if not invariant.holds(key, row):
                        message = f"{invariant.name} at {table}{key}"
                        raise check.CheckFailed(message)
                versions[key] = height
                changes.append((table, encode_key(key), encode(row), height))
        return changes

    def check_all(self) -> None:
        """Test every invariant over the whole state, and the answers held beside it.

        Raises:
            CheckFailed: naming the invariant that does not hold; the node stops.
        """
        self._answers.check()
        self.store.check_sequences()
        context = self._block_context(self.market_ms)
        for invariant in self._invariants():
            if isinstance(invariant, StateInvariant):
                check.that(invariant.holds(context), invariant.name)
            else:
                for key, row in invariant.table.every(self.store):
                    if not invariant.holds(key, row):
                        message = f"{invariant.name} at {key}"
                        raise check.CheckFailed(message)

    def load(self, height: int, rows: list[tuple[str, bytes, bytes, int]]) -> bytes:
        """Put back a stored state (table, key, row, version) at start; returns its app hash, to be compared with the stored one."""
        for table, key, row, version in rows:
            self.store.load(table, key, row, version)
        self.store.order_indexes()
        self._answers.load()
        self._next_epoch = (0, FIRST_EPOCH)
        self.height = height
        self.roots.update(rows, self.state_key_at)  # their keys and rows were just found to be canonical
        return self.roots.app_hash()

    def state_key_at(self, height: int) -> bytes:
        """The state key of the epoch in force at a height.

        Raises:
            SecretMissing: if its secret is not held.
        """
        return need_secret(self.secrets, self.epoch_at(height)).state_key

    def epoch_at(self, height: int) -> int:
        """The number of the epoch that holds in the block of a height."""
        return epoch_in_force(self.store, height)

    def epoch_key(self, epoch_no: int) -> EpochKey:
        """Number and public key of an epoch that exists; the present one is ``epoch_at(height + 1)``."""
        return EpochKey(epoch_no, EPOCHS.need(self.store, epoch_no).public_key)

    def contract(self, name: str) -> Contract:
        """A contract by name."""
        return next(contract for contract in self.market.contracts if contract.name == name)

    def reply_of(self, outcome: Outcome) -> Reply | None:
        """The decoded reply of an outcome, if it has one."""
        if not outcome.reply:
            return None
        reply: Reply = decode(outcome.reply, self.reply_type)
        return reply


def advance_clock(context: Context, to_ms: int) -> None:
    """Move a stepped clock; the new time holds for this block's hooks and from the next block on for messages."""
    clock = CLOCK.need(context)
    check.that(clock.mode == STEPPED and to_ms > clock.market_ms, "a stepped clock moves forward")
    CLOCK.put(context, (), Clock(STEPPED, to_ms))


def may_rotate_epoch(context: Context) -> bool:
    """Whether no new epoch began in this block yet."""
    return EPOCHS.need(context, EPOCHS.count(context)).from_height <= context.height


def rotate_epoch(context: Context, public_key: bytes) -> int:
    """Begin a new epoch, which holds from the next block on; at most once a block. Returns its number."""
    check.that(may_rotate_epoch(context), "one new epoch a block")
    epoch_no = EPOCHS.count(context)
    EPOCHS.put(context, (epoch_no + 1,), Epoch(public_key, context.height + 1, context.market_ms))
    return epoch_no + 1
