"""The in-process transport: a client beside the node on a locked data folder."""

from typing import Any

from shudian.kernel.envelope import EpochKey
from shudian.kernel.outcomes import Outcome
from shudian.node.embedded import EmbeddedNode
from shudian.node.prove import find_message
from shudian.reading.reader import THE_PUBLIC, Viewer


class LocalTransport:
    """Carries a client's messages and queries to a node in the same process."""

    def __init__(self, node: EmbeddedNode) -> None:
        """Speak to ``node``."""
        self.node = node

    @property
    def chain_id(self) -> str:
        """The chain's name."""
        return self.node.genesis.chain_id

    @property
    def market_ms(self) -> int:
        """Market time now."""
        return self.node.market_ms

    @property
    def epoch(self) -> EpochKey:
        """The epoch to seal for."""
        return self.node.epoch

    def epoch_key(self, epoch_no: int) -> EpochKey:
        """An epoch that was or is."""
        return self.node.machine.epoch_key(epoch_no)

    def submit(self, envelopes: list[bytes]) -> list[tuple[Outcome, ...]]:
        """Bring envelopes in; returns their outcomes when durable."""
        return self.node.submit(envelopes)

    def viewer(self, member_id: int) -> Viewer:
        """The member as a viewer; its kind comes from the ledger's register, never from the caller."""
        if not member_id:
            return THE_PUBLIC
        rows = self.node.query(THE_PUBLIC, "identity.register", member_id=member_id)
        return Viewer(member_id, rows[0]["kind"]) if rows else THE_PUBLIC

    def query(self, member_id: int, name: str, /, **filters: Any) -> Any:
        """Run a query as a member."""
        return self.node.query(self.viewer(member_id), name, **filters)

    def timeline(self, member_id: int, deed: str) -> list[dict[str, Any]]:
        """The timeline of a deed as a member sees it."""
        return self.node.projector.timeline_of(self.viewer(member_id), deed)

    def envelope(self, member_id: int, message_id: bytes) -> bytes:
        """A member's envelope as it stands in its block, sealed: everybody may have it.

        Raises:
            NodeError: no block holds it.
        """
        block, place = find_message(self.node, member_id, message_id)
        return block.envelopes[place]

    def outcomes(self, member_id: int, message_id: bytes | None = None) -> list[dict[str, Any]]:
        """The outcomes of a member's message, or of all its messages in the order of their blocks."""
        projector = self.node.projector
        where = {"sender_id": member_id, "id": message_id}
        order = "height, id, item_no"
        return projector.reader.select(self.viewer(member_id), projector.messages, where, order_by=order)
