"""Deposits and pay-outs: money enters and leaves only on the word of the settlement bank that the account names."""

from shudian.contracts.funds.messages import (
    AMOUNT_OVER_MAXIMUM,
    BANK_REFERENCE_USED,
    NOT_THE_NAMED_BANK,
    PAYOUT_UNKNOWN,
    AccountBalances,
    ConfirmDeposit,
    ConfirmPayout,
    DepositConfirmed,
    PayoutConfirmed,
    PayoutNumber,
    PayoutRefused,
    PayoutRequested,
    RefusePayout,
    RequestPayout,
)
from shudian.contracts.funds.messages_accounts import Code, Transfer, TransferCode
from shudian.contracts.funds.messages_numbers import account_id_of, owner_of
from shudian.contracts.funds.rules_accounts import account_of, parties_of, read_open
from shudian.contracts.funds.rules_transfers import hold, is_posted, post, require_open_hold, transfer, void
from shudian.contracts.funds.state import PAYOUTS, Payout
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.identity.messages import MEMBER_FROZEN
from shudian.kernel.clock import day_of
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.ids import derived_id
from shudian.kernel.outcomes import both
from shudian.kernel.tables import next_id


def confirm_deposit(ctx: Context, message: ConfirmDeposit) -> AccountBalances:
    """Book money that arrived. Refuses: 4001, 4002, 4008, 4016-4018. Emits: FundsTransferred, DepositConfirmed."""
    account_id = account_of(ctx, message.owner_id, message.account_code)
    account = read_open(ctx, account_id)
    _require_named_bank(ctx, account.bank_id)
    _require_within(ctx, "funds.deposit_max_fen", message.amount_fen)
    transfer_id = _new_reference(ctx, message.bank_reference)
    mirror_id = account_id_of(account.bank_id, Code.BANK)
    deed = f"account:{account_id}"
    order = Transfer(transfer_id, mirror_id, account_id, message.amount_fen, TransferCode.DEPOSIT, deed)
    _, balances = transfer(ctx, (order,))
    # no refusal below this line
    ctx.emit(
        DepositConfirmed(
            deed=deed,
            parties=parties_of((message.owner_id, account.bank_id)),
            account_id=account_id,
            bank_id=account.bank_id,
            amount_fen=message.amount_fen,
            bank_reference=message.bank_reference,
        )
    )
    return AccountBalances(account_id, balances)


def request_payout(ctx: Context, message: RequestPayout) -> PayoutNumber:
    """Hold money to be paid out. Refuses: 4001-4004, 4008, 4018. Emits: FundsHeld, PayoutRequested."""
    account_id = account_of(ctx, ctx.sender_id, message.account_code)
    account = read_open(ctx, account_id)
    _require_within(ctx, "funds.payout_max_fen", message.amount_fen)
    payout_id = next_id(ctx, "funds.payout")
    deed = f"payout:{payout_id}"
    hold_id = derived_id("payout", str(payout_id))
    mirror_id = account_id_of(account.bank_id, Code.BANK)
    expires_ms = ctx.market_ms + governance.setting(ctx, "funds.payout_expiry_ms", day_of(ctx.market_ms))
    order = Transfer(hold_id, account_id, mirror_id, message.amount_fen, TransferCode.PAYOUT, deed)
    balances, _ = hold(ctx, order, expires_ms)
    # no refusal below this line
    PAYOUTS.put(ctx, (payout_id,), Payout(account_id, account.bank_id, message.amount_fen, hold_id, ctx.market_ms))
    ctx.emit(
        PayoutRequested(
            deed=deed,
            parties=parties_of((ctx.sender_id, account.bank_id)),
            also=(f"account:{account_id}",),
            payout_id=payout_id,
            account_id=account_id,
            bank_id=account.bank_id,
            amount_fen=message.amount_fen,
            hold_id=hold_id,
            expires_ms=expires_ms,
        )
    )
    return PayoutNumber(payout_id, expires_ms, account_id, balances)


def confirm_payout(ctx: Context, message: ConfirmPayout) -> AccountBalances:
    """Book money that was paid out. Refuses: 3003, 4010-4012, 4016, 4017, 4019. Emits: FundsTransferred, PayoutConfirmed."""
    payout = _payout(ctx, message.payout_id)
    owner_id = owner_of(payout.account_id)
    if identity.member(ctx, owner_id).frozen:
        raise MEMBER_FROZEN("payout_id", message.payout_id, both("未被冻结的成员", "a member that is not frozen"))
    transfer_id = _new_reference(ctx, message.bank_reference)
    balances, _ = post(ctx, transfer_id, payout.hold_id)
    # no refusal below this line
    ctx.emit(
        PayoutConfirmed(
            deed=f"payout:{message.payout_id}",
            parties=parties_of((owner_id, payout.bank_id)),
            also=(f"account:{payout.account_id}",),
            payout_id=message.payout_id,
            bank_reference=message.bank_reference,
        )
    )
    return AccountBalances(payout.account_id, balances)


def refuse_payout(ctx: Context, message: RefusePayout) -> AccountBalances:
    """Give back money that cannot be paid out. Refuses: 4010-4012, 4016, 4019. Emits: HoldReleased, PayoutRefused."""
    payout = _payout(ctx, message.payout_id)
    # A second refusal would be a repeat of the same void to the money core, and be told a second time.
    require_open_hold(ctx, payout.hold_id)
    balances, _ = void(ctx, derived_id("payout refused", str(message.payout_id)), payout.hold_id)
    # no refusal below this line
    ctx.emit(
        PayoutRefused(
            deed=f"payout:{message.payout_id}",
            parties=parties_of((owner_of(payout.account_id), payout.bank_id)),
            also=(f"account:{payout.account_id}",),
            payout_id=message.payout_id,
            reason=message.reason,
        )
    )
    return AccountBalances(payout.account_id, balances)


def _payout(ctx: Context, payout_id: int) -> Payout:
    """A request that the sender, a bank, may answer. Refuses: 4016, 4019."""
    payout = PAYOUTS.get(ctx, payout_id)
    if payout is None:
        raise PAYOUT_UNKNOWN("payout_id", payout_id)
    _require_named_bank(ctx, payout.bank_id)
    return payout


def _require_named_bank(ctx: Context, bank_id: int) -> None:
    if ctx.sender_id != bank_id:
        raise NOT_THE_NAMED_BANK("sender_id", ctx.sender_id, bank_id)


def _require_within(ctx: BlockContext, setting: str, amount_fen: int) -> None:
    max_fen = governance.setting(ctx, setting, day_of(ctx.market_ms))
    if amount_fen > max_fen:
        raise AMOUNT_OVER_MAXIMUM("amount_fen", amount_fen, f"<= {max_fen}")


def _new_reference(ctx: Context, bank_reference: bytes) -> bytes:
    """The transfer id that a bank's reference gives, so that one reference never moves money twice. Refuses: 4017."""
    transfer_id = derived_id("bank reference", str(ctx.sender_id), bank_reference.hex())
    if is_posted(ctx, transfer_id):
        raise BANK_REFERENCE_USED("bank_reference", bank_reference.hex())
    return transfer_id
