"""What governance decides about epochs. Who holds which secret is no matter of the state: it keeps public keys, and on record who was given what."""

from shudian.contracts.governance.messages_epochs import (
    EPOCH_JUST_ROTATED,
    EPOCH_UNKNOWN,
    EpochHandedOut,
    EpochReply,
    EpochRotated,
    HandOutEpoch,
    RotateEpoch,
)
from shudian.kernel.contract import Context
from shudian.kernel.epochs import EPOCHS
from shudian.kernel.machine import may_rotate_epoch, rotate_epoch


def begin_epoch(ctx: Context, message: RotateEpoch) -> EpochReply:
    """Begin a new epoch with the next block. Refuses: 2007. Emits: EpochRotated."""
    if not may_rotate_epoch(ctx):
        raise EPOCH_JUST_ROTATED("public_key", message.public_key.hex()[:16])
    # no refusal below this line
    epoch_no = rotate_epoch(ctx, message.public_key)
    ctx.emit(
        EpochRotated(deed=f"epoch:{epoch_no}", parties=(), epoch_no=epoch_no, public_key=message.public_key),
    )
    return EpochReply(epoch_no)


def hand_out_epoch(ctx: Context, message: HandOutEpoch) -> None:
    """Put on record that an epoch's secret is handed out. Refuses: 2008. Emits: EpochHandedOut."""
    if EPOCHS.get(ctx, message.epoch_no) is None:
        raise EPOCH_UNKNOWN("epoch_no", message.epoch_no, f"1..{EPOCHS.count(ctx)}")
    # no refusal below this line
    ctx.emit(
        EpochHandedOut(
            deed=f"epoch:{message.epoch_no}",
            parties=(),
            epoch_no=message.epoch_no,
            recipient_key=message.recipient_key,
            file_digest=message.file_digest,
        )
    )
