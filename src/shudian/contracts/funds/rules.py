"""What funds decides: the verbs that the contracts above move money with, and the contract itself."""

from collections.abc import Mapping
from typing import Any

from shudian.contracts.funds.messages import (
    EVENTS,
    REFUSALS,
    REPLIES,
    SETTINGS,
    CloseAccount,
    ConfirmDeposit,
    ConfirmPayout,
    OpenAccount,
    RefusePayout,
    RequestPayout,
)
from shudian.contracts.funds.messages_accounts import Code, Transfer, TransferCode
from shudian.contracts.funds.messages_numbers import account_id_of
from shudian.contracts.funds.rules_accounts import (
    account_of,
    balances,
    close_account,
    free_fen,
    is_open,
    open_account,
    open_at,
    open_member_account,
    trial_balance,
)
from shudian.contracts.funds.rules_payouts import confirm_deposit, confirm_payout, refuse_payout, request_payout
from shudian.contracts.funds.rules_reservations import reservations, reserve, reserve_more, reserved
from shudian.contracts.funds.rules_transfers import expire_holds, hold, is_posted, post, transfer, void
from shudian.contracts.funds.state import TABLES
from shudian.contracts.funds.state_checks import INVARIANTS
from shudian.contracts.identity import rules as identity
from shudian.contracts.roles import Kind
from shudian.kernel.contract import BlockContext, Contract
from shudian.kernel.ids import derived_id

__all__ = [
    "CONTRACT",
    "account_of",
    "balances",
    "free_fen",
    "hold",
    "is_open",
    "is_posted",
    "open_account",
    "post",
    "reservations",
    "reserve",
    "reserve_more",
    "reserved",
    "transfer",
    "trial_balance",
    "void",
]


def genesis_in(ctx: BlockContext, section: Mapping[str, Any]) -> None:
    """Take in ``accounts``: a list of owner_id, bank_id, bank_account_digest (hex), and optionally code and opening_fen.

    Refuses: 3001, 3004 for the bank, and what :func:`transfer` refuses.
    """
    for entry in section.get("accounts", ()):
        identity.require_kind(ctx, entry["bank_id"], (Kind.BANK,))
        account_id = account_id_of(entry["owner_id"], Code(entry.get("code", Code.CASH)))
        open_at(ctx, account_id, entry["bank_id"], bytes.fromhex(entry["bank_account_digest"]))
        opening_fen = entry.get("opening_fen", 0)
        if opening_fen:
            mirror_id = account_id_of(entry["bank_id"], Code.BANK)
            opening_id = derived_id("opening", str(account_id))
            deed = f"account:{account_id}"
            transfer(ctx, (Transfer(opening_id, mirror_id, account_id, opening_fen, TransferCode.OPENING, deed),))


CONTRACT = Contract(
    name="funds",
    number=4,
    tables=TABLES,
    handlers={
        OpenAccount: open_member_account,
        CloseAccount: close_account,
        ConfirmDeposit: confirm_deposit,
        RequestPayout: request_payout,
        ConfirmPayout: confirm_payout,
        RefusePayout: refuse_payout,
    },
    events=EVENTS,
    refusals=REFUSALS,
    replies=REPLIES,
    hooks=(expire_holds,),
    invariants=INVARIANTS,
    settings=SETTINGS,
    genesis_in=genesis_in,
)
