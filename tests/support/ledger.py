"""A small ledger for tests: a machine in memory, spoken to message by message."""

from collections.abc import Mapping, Sequence
from typing import Any

from shudian.kernel.codec import encode
from shudian.kernel.contract import BlockContext, Context, Contract, Market
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.envelope import EpochKey, seal
from shudian.kernel.epochs import NodeSecrets
from shudian.kernel.ids import derived_id
from shudian.kernel.machine import CLOCK, STEPPED, Applied, Clock, Machine
from shudian.kernel.messages import Event, Message
from shudian.kernel.outcomes import Outcome, Reply

CHAIN_ID = "test"
START_MS = 1_781_913_600_000  # 2026-06-20 08:00 at UTC+8


def anybody(_ctx: Context, _message: Message) -> None:
    """A port that lets everybody say everything, for tests of one contract's own rules."""


def key_of(name: str) -> SigningKey:
    """The test key of a name."""
    return SigningKey(sha256(name.encode()))


SECRETS = NodeSecrets(key_of("node"), CHAIN_ID)
"""Of the chain named "test" whose node signs with the key "node"."""
EPOCH = EpochKey(1, SECRETS.of(1).public_key)
"""Its first epoch."""


class Ledger:
    """One machine; each :meth:`say` is a block of one envelope of one message."""

    def __init__(
        self,
        contracts: Sequence[Contract],
        sections: Mapping[str, Mapping[str, Any]] | None = None,
        authorise: Any = anybody,
        start_ms: int = START_MS,
    ) -> None:
        self.blobs: dict[bytes, bytes] = {}
        messages = tuple(kind for contract in contracts for kind in contract.handlers)
        self.machine = Machine(Market(tuple(contracts), authorise, messages), CHAIN_ID, self.blobs.get, SECRETS)
        self.sent_count = 0
        self._keep(self.machine.genesis(STEPPED, start_ms, sections or {}, EPOCH.public_key))

    def _keep(self, applied: Applied) -> Applied:
        self.blobs.update(applied.cold)
        self.machine.settle()
        self.last = applied
        assert not applied.faults, applied.faults
        return applied

    @property
    def store(self) -> Any:
        return self.machine.store

    @property
    def now_ms(self) -> int:
        return self.machine.market_ms

    @property
    def events(self) -> list[Event]:
        """Events of the last block."""
        return [event for _, event in self.last.events]

    def envelope(
        self, sender_id: int, *messages: Message, signers: Sequence[str] = ("anybody",), atomic: bool = False
    ) -> bytes:
        self.sent_count += 1
        keys = [key_of(name) for name in signers]
        message_id = derived_id("test", str(self.sent_count))
        expires_ms = self.now_ms + 3_600_000
        return seal(CHAIN_ID, sender_id, message_id, expires_ms, encode(list(messages)), keys, EPOCH, atomic=atomic)

    def say(self, sender_id: int, message: Message, *signers: str) -> Outcome:
        """Say one message; returns its outcome."""
        return self.apply(self.envelope(sender_id, message, signers=signers or ("anybody",)))[0][0]

    def apply(self, *envelopes: bytes) -> list[tuple[Outcome, ...]]:
        """One block of envelopes."""
        return self._keep(self.machine.apply(self.now_ms, self.machine.door.open_all(envelopes))).outcomes

    def done(self, sender_id: int, message: Message, *signers: str) -> Any:
        """Say one message that must be carried out; returns its reply."""
        outcome = self.say(sender_id, message, *signers)
        assert outcome.done, outcome
        return self.machine.reply_of(outcome)

    def refused(self, sender_id: int, message: Message, *signers: str) -> int:
        """Say one message that must be refused; returns the refusal's number."""
        outcome = self.say(sender_id, message, *signers)
        assert not outcome.done, self.machine.reply_of(outcome)
        return outcome.number

    def reply(self, outcome: Outcome) -> Reply | None:
        return self.machine.reply_of(outcome)

    def context(self) -> BlockContext:
        """A context for calling verbs directly; changes made through it belong to the next block."""
        return BlockContext(self.machine.store, self.machine.cold, self.machine.market, self.now_ms, [])

    def advance(self, to_ms: int) -> Applied:
        """Move the stepped clock by the clock's own verb and run an empty block, so that hooks run."""
        CLOCK.put(self.machine.store, (), Clock(STEPPED, to_ms))
        return self._keep(self.machine.apply(to_ms, []))
