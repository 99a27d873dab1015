"""Epochs: which keys seal messages and blind leaves, from one height to the next.

An epoch has one root, 32 secret bytes; all its keys follow from it. The state knows its number, its public key and the height from
which it holds. Whoever has the root reads every message of the epoch and can guess at its rows, and of no other epoch.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from shudian.kernel import check
from shudian.kernel.codec import Record
from shudian.kernel.crypto import SECRET_BYTES, AgreementKey, SigningKey, derive
from shudian.kernel.tables import HasStore, Table

FIRST_EPOCH = 1
SECRETS_MAX_COUNT = 64
"""Epochs whose keys a node keeps at hand; older ones are derived again when they are asked for."""


class Epoch(Record):
    """One epoch. public_key: X25519, 32 bytes, members seal with it. from_height: first block it holds in. from_ms: market time of its making."""

    public_key: bytes
    from_height: int
    from_ms: int


EPOCHS = Table("kernel.epochs", Epoch, ("epoch_no",))
"""Numbered from 1 without gaps; a row is never changed."""


class EpochSecret:
    """The secret keys of one epoch. agreement: opens messages. state_key: blinds leaves. Its text form shows neither."""

    def __init__(self, root: bytes) -> None:
        """Derive both from the root."""
        check.that(len(root) == SECRET_BYTES, "the root of an epoch is 32 bytes")
        self.agreement = AgreementKey(derive(root, b"shudian/epoch/agreement"))
        self.state_key = derive(root, b"shudian/epoch/state")

    def __repr__(self) -> str:
        """The public half only."""
        return f"EpochSecret({self.public_key.hex()})"

    @property
    def public_key(self) -> bytes:
        """The epoch's public key, 32 bytes."""
        return self.agreement.public_key


class Secrets(Protocol):
    """The epochs that somebody can open."""

    def of(self, epoch_no: int) -> EpochSecret | None:
        """The secret keys of an epoch, None if they are not held."""
        ...

    def root(self, epoch_no: int) -> bytes | None:
        """The root of an epoch, to hand it to a process of the same node; 32 secret bytes, None if it is not held."""
        ...


class NodeSecrets:
    """All epochs of an embedded chain: their roots follow from the node's key, so there is no other secret to keep."""

    def __init__(self, node_key: SigningKey, chain_id: str) -> None:
        """Derive from the node's key when asked."""
        self._node_key = node_key
        self._chain_id = chain_id
        self.of = lru_cache(maxsize=SECRETS_MAX_COUNT)(self._of)

    def _of(self, epoch_no: int) -> EpochSecret:
        return EpochSecret(self.root(epoch_no))

    def root(self, epoch_no: int) -> bytes:
        """The root of an epoch, to hand it out; 32 secret bytes."""
        purpose = b"\x00".join((b"shudian/epoch", self._chain_id.encode(), str(epoch_no).encode()))
        return self._node_key.derive(purpose)


class HeldSecrets:
    """The epochs whose roots somebody was given; none by default."""

    def __init__(self, roots: Mapping[int, bytes] | None = None) -> None:
        """Keep epoch number -> root."""
        self._roots = dict(roots or {})
        self._secrets = {epoch_no: EpochSecret(root) for epoch_no, root in self._roots.items()}

    def of(self, epoch_no: int) -> EpochSecret | None:
        """The secret keys of an epoch, None if its root was not given."""
        return self._secrets.get(epoch_no)

    def root(self, epoch_no: int) -> bytes | None:
        """The root of an epoch, None if it was not given."""
        return self._roots.get(epoch_no)


class BegunSecrets:
    """Of somebody's secrets those of epochs that stand in the state.

    Numbers that a stranger makes up cost no derivation and push no epoch's secret out of memory; and every replica refuses them alike.
    """

    def __init__(self, secrets: Secrets, at: HasStore) -> None:
        """Look at the state when asked."""
        self._secrets = secrets
        self._at = at

    def of(self, epoch_no: int) -> EpochSecret | None:
        """The secret keys of an epoch, None if it never began or they are not held."""
        return None if EPOCHS.get(self._at, epoch_no) is None else self._secrets.of(epoch_no)

    def root(self, epoch_no: int) -> bytes | None:
        """The root of an epoch, None if it never began or is not held."""
        return None if EPOCHS.get(self._at, epoch_no) is None else self._secrets.root(epoch_no)


NO_SECRETS = HeldSecrets()
"""For whoever only codes and decodes, or tests what needs no opening."""


class SecretMissing(Exception):
    """An epoch's secret is needed and not held; only a verifier without the node's key meets it."""

    def __init__(self, epoch_no: int) -> None:
        """Keep the number of the epoch."""
        super().__init__(f"the secret of epoch {epoch_no} is not held")
        self.epoch_no = epoch_no


def epoch_in_force(at: HasStore, height: int) -> int:
    """The number of the epoch that holds in the block of a height, which must not lie before genesis."""
    epoch_no = EPOCHS.count(at)
    while EPOCHS.need(at, epoch_no).from_height > height:
        epoch_no -= 1
    return epoch_no


def need_secret(secrets: Secrets, epoch_no: int) -> EpochSecret:
    """The secret keys of an epoch.

    Raises:
        SecretMissing: if they are not held.
    """
    secret = secrets.of(epoch_no)
    if secret is None:
        raise SecretMissing(epoch_no)
    return secret
