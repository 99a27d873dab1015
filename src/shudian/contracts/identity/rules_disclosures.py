"""Disclosures on record. The ledger keeps that, of what, to which key and as which file; it decides nothing, a member's secrets are its own."""

from shudian.contracts.identity.messages_disclosures import DisclosureRecorded, DisclosureReply, RecordDisclosure
from shudian.contracts.identity.rules_verbs import deed_of
from shudian.kernel.contract import Context
from shudian.kernel.tables import next_id


def record_disclosure(ctx: Context, message: RecordDisclosure) -> DisclosureReply:
    """Put a disclosure on record. Refuses: nothing. Emits: DisclosureRecorded."""
    disclosure_no = next_id(ctx, "identity.disclosure")
    ctx.emit(
        DisclosureRecorded(
            deed=deed_of(ctx.sender_id),
            parties=(ctx.sender_id,),
            member_id=ctx.sender_id,
            disclosure_no=disclosure_no,
            message_id=message.message_id,
            statement_id=message.statement_id,
            recipient_key=message.recipient_key,
            file_digest=message.file_digest,
        )
    )
    return DisclosureReply(disclosure_no)
