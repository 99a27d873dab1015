"""Handing the secret of one epoch to an auditor or a regulator: a file that one person can open, and the key file that it becomes."""

from collections.abc import Mapping

from shudian.client.handing import HandingError, hand_over, take_over
from shudian.kernel.codec import Malformed, Record, decode, encode
from shudian.kernel.crypto import SECRET_BYTES, SigningKey
from shudian.kernel.epochs import Epoch, EpochSecret, HeldSecrets

PURPOSE = "shudian/epoch"


class HandedEpoch(Record):
    """What is handed: the root of one epoch of one chain, 32 secret bytes."""

    chain_id: str
    epoch_no: int
    root: bytes


def hand_epoch(chain_id: str, epoch_no: int, root: bytes, recipient_key: bytes) -> bytes:
    """The bytes of a file that gives an epoch's root to the owner of an X25519 public key.

    Raises:
        HandingError: if that is no sound public key.
    """
    return hand_over(encode(HandedEpoch(chain_id, epoch_no, root)), recipient_key, PURPOSE)


def take_epoch(data: bytes, own: SigningKey, chain_id: str, epochs: Mapping[int, Epoch]) -> HandedEpoch:
    """What such a file gives, tested against the ledger's epochs: whoever made it up could not know the root.

    Raises:
        HandingError: if it is no such file, for another person or chain, or does not hold the epoch's secret.
    """
    try:
        handed = decode(take_over(data, own, PURPOSE), HandedEpoch)
    except Malformed:
        raise HandingError("文件不是密钥期的移交文件", "the file does not hand over an epoch") from None
    if handed.chain_id != chain_id:
        raise HandingError("文件属于另一条链", "the file is of another chain")
    epoch = epochs.get(handed.epoch_no)
    is_right = len(handed.root) == SECRET_BYTES and epoch is not None
    if not is_right or EpochSecret(handed.root).public_key != (epoch and epoch.public_key):
        raise HandingError(
            f"文件中的密钥不属于本链的密钥期 {handed.epoch_no}",
            f"the secret in the file is not that of epoch {handed.epoch_no} of this chain",
        )
    return handed


def secrets_among(roots: list[bytes], epochs: Mapping[int, Epoch]) -> HeldSecrets:
    """The secrets that these roots are, each found by its public key among the ledger's epochs.

    Raises:
        HandingError: if a root belongs to none of them.
    """
    held: dict[int, bytes] = {}
    for root in roots:
        public_key = EpochSecret(root).public_key
        found = next((epoch_no for epoch_no, epoch in epochs.items() if epoch.public_key == public_key), None)
        if found is None:
            raise HandingError("密钥文件不属于本链的任何密钥期", "the key file is of no epoch of this chain")
        held[found] = root
    return HeldSecrets(held)
