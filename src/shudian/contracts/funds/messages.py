"""What may be said to funds, what happened, and its refusals.

The platform pools no money (银发〔2025〕77号：不得归集资金): every balance mirrors a sub-account at the settlement bank that its owner
chose, and only that bank confirms what came in and what went out.
"""

from typing import ClassVar

from shudian.contracts.funds.messages_accounts import OWN_CODES, HoldState
from shudian.contracts.funds.messages_accounts import Balances as Balances
from shudian.contracts.funds.messages_accounts import Code as Code
from shudian.contracts.funds.messages_accounts import Transfer as Transfer
from shudian.contracts.funds.messages_accounts import TransferCode as TransferCode
from shudian.contracts.roles import Kind, Role
from shudian.kernel import fields
from shudian.kernel.messages import Authority, Event, Message, Setting
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply

ID_MAX = 10**12
REASON_MAX_COUNT = 200
ACCOUNT_KINDS = (Kind.GENERATOR, Kind.RETAILER, Kind.USER, Kind.GRID_COMPANY, Kind.EXCHANGE, Kind.BANK)

SETTINGS = (
    Setting("funds.deposit_max_fen", 1, fields.AMOUNT_MAX, "单笔入金上限", "largest deposit of one message"),
    Setting("funds.payout_max_fen", 1, fields.AMOUNT_MAX, "单笔出金上限", "largest pay-out of one message"),
    Setting(
        "funds.deposit_second_signer_from_fen",
        1,
        fields.AMOUNT_MAX,
        "入金双人复核起点金额",
        "deposits from this amount on need two tellers",
    ),
    Setting(
        "funds.payout_second_signer_from_fen",
        1,
        fields.AMOUNT_MAX,
        "出金双人复核起点金额",
        "pay-outs from this amount on need two finance officers",
    ),
    Setting("funds.payout_expiry_ms", 60_000, 2_592_000_000, "出金申请有效期", "how long a pay-out waits for the bank"),
)


class OpenAccount(Message):
    """Open the sender's account as a mirror of its sub-account at a settlement bank; the grid company's two ledgers come with it.

    bank_id: the settlement bank, a member. bank_account_digest: salted SHA-256 of the account number, which never stands on the
    ledger.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=ACCOUNT_KINDS,
        role=Role.FINANCE,
        when_zh="无已开立账户，所选银行为正常状态的结算银行",
        when_en="the sender has no open account and the chosen bank is a settlement bank in good standing",
    )

    bank_id: int
    bank_account_digest: bytes

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("bank_id", self.bank_id, 1, ID_MAX)
        fields.digest("bank_account_digest", self.bank_account_digest)


class CloseAccount(Message):
    """Close all the sender's accounts; opening again later may choose another bank."""

    authority: ClassVar[Authority] = Authority(
        kinds=ACCOUNT_KINDS,
        role=Role.FINANCE,
        when_zh="账户余额为零且无圈存、无占用",
        when_en="every account of the sender is empty, with nothing held or reserved",
        active_only=False,
    )


class ConfirmDeposit(Message):
    """The bank's word that money arrived on a sub-account: debit the bank's mirror, credit the owner.

    owner_id: whose account. amount_fen: what arrived. bank_reference: 32-byte digest of the bank's own record, once only.
    account_code: cash, or one of the grid company's ledgers.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.BANK,),
        role=Role.TELLER,
        second_signer_setting="funds.deposit_second_signer_from_fen",
        when_zh="该账户在本行开立，流水号未用过，不超过单笔上限",
        when_en="the account is at this bank, the reference is new, and the amount within the maximum",
    )

    owner_id: int
    amount_fen: int
    bank_reference: bytes
    account_code: Code = Code.CASH

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("owner_id", self.owner_id, 1, ID_MAX)
        fields.whole("amount_fen", self.amount_fen, 1, fields.AMOUNT_MAX)
        fields.digest("bank_reference", self.bank_reference)
        _check_own_code(self.account_code)

    def band_fen(self) -> int:
        """The amount that came in."""
        return self.amount_fen


class RequestPayout(Message):
    """Ask the settlement bank to pay out; the amount is held until the bank answers or the request expires.

    amount_fen: what to pay. account_code: cash, or one of the grid company's ledgers.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=ACCOUNT_KINDS,
        role=Role.FINANCE,
        second_signer_setting="funds.payout_second_signer_from_fen",
        when_zh="可用余额充足，不超过单笔上限",
        when_en="the free funds suffice and the amount is within the maximum",
        active_only=False,
    )

    amount_fen: int
    account_code: Code = Code.CASH

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("amount_fen", self.amount_fen, 1, fields.AMOUNT_MAX)
        _check_own_code(self.account_code)

    def band_fen(self) -> int:
        """The amount that is to go out."""
        return self.amount_fen


class ConfirmPayout(Message):
    """The bank's word that a pay-out was made. bank_reference: 32-byte digest of the bank's own record, once only."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.BANK,),
        role=Role.TELLER,
        when_zh="出金申请在本行且尚未处理、未过期，成员未被冻结",
        when_en="the request is open at this bank and has not expired, and the member is not frozen",
    )

    payout_id: int
    bank_reference: bytes

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("payout_id", self.payout_id, 1, ID_MAX)
        fields.digest("bank_reference", self.bank_reference)


class RefusePayout(Message):
    """The bank cannot pay out; the held amount is free again. reason: for the member to read."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.BANK,),
        role=Role.TELLER,
        when_zh="出金申请在本行且尚未处理、未过期",
        when_en="the request is open at this bank and has not expired",
    )

    payout_id: int
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("payout_id", self.payout_id, 1, ID_MAX)
        fields.text("reason", self.reason, REASON_MAX_COUNT)


def _check_own_code(code: Code) -> None:
    if code not in OWN_CODES:
        raise FIELD_NOT_ALLOWED("account_code", int(code), " | ".join(str(int(own)) for own in OWN_CODES))


class AccountOpened(Event):
    """An account was opened, or opened again; its counters go on where they were."""

    step: ClassVar[str] = "opened"
    zh: ClassVar[str] = "资金账户已开立"
    en: ClassVar[str] = "account opened"

    account_id: int
    bank_id: int
    bank_account_digest: bytes
    balances: Balances


class AccountClosed(Event):
    """An account was closed."""

    step: ClassVar[str] = "closed"
    zh: ClassVar[str] = "资金账户已销户"
    en: ClassVar[str] = "account closed"

    account_id: int


class DepositConfirmed(Event):
    """The bank confirmed a deposit; the movement itself is the FundsTransferred before it."""

    step: ClassVar[str] = "deposited"
    zh: ClassVar[str] = "银行已确认入金"
    en: ClassVar[str] = "deposit confirmed by the bank"

    account_id: int
    bank_id: int
    amount_fen: int
    bank_reference: bytes


class PayoutRequested(Event):
    """A pay-out was requested and its amount held."""

    step: ClassVar[str] = "requested"
    zh: ClassVar[str] = "已申请出金"
    en: ClassVar[str] = "pay-out requested"

    payout_id: int
    account_id: int
    bank_id: int
    amount_fen: int
    hold_id: bytes
    expires_ms: int


class PayoutConfirmed(Event):
    """The bank paid out."""

    step: ClassVar[str] = "paid"
    zh: ClassVar[str] = "银行已付款"
    en: ClassVar[str] = "paid out by the bank"

    payout_id: int
    bank_reference: bytes


class PayoutRefused(Event):
    """The bank did not pay out."""

    step: ClassVar[str] = "refused"
    zh: ClassVar[str] = "银行已退回出金申请"
    en: ClassVar[str] = "pay-out refused by the bank"

    payout_id: int
    reason: str


class FundsTransferred(Event):
    """Money moved, directly or by posting a hold (hold_id, else empty). debit, credit: the counters right after."""

    step: ClassVar[str] = "transferred"
    zh: ClassVar[str] = "资金已划转"
    en: ClassVar[str] = "funds transferred"

    entry_no: int
    transfer_id: bytes
    hold_id: bytes
    debit_account_id: int
    credit_account_id: int
    debit_bank_id: int
    credit_bank_id: int
    amount_fen: int
    code: int
    debit: Balances
    credit: Balances


class FundsHeld(Event):
    """An amount was held for a later transfer. expires_ms: 0 for never."""

    step: ClassVar[str] = "held"
    zh: ClassVar[str] = "资金已圈存"
    en: ClassVar[str] = "funds held"

    hold_id: bytes
    debit_account_id: int
    credit_account_id: int
    debit_bank_id: int
    credit_bank_id: int
    amount_fen: int
    code: int
    expires_ms: int
    debit: Balances
    credit: Balances


class HoldReleased(Event):
    """A hold ended without a transfer. state: voided or expired."""

    step: ClassVar[str] = "released"
    zh: ClassVar[str] = "圈存已解除"
    en: ClassVar[str] = "hold released"

    hold_id: bytes
    debit_account_id: int
    credit_account_id: int
    state: HoldState
    debit: Balances
    credit: Balances


class FundsReserved(Event):
    """What is reserved for a purpose on a cash account is now ``amount_fen`` (0: nothing any more).

    change_fen: by how much the deed that this is told of changed it; negative if it gave back.
    """

    step: ClassVar[str] = "reserved"
    zh: ClassVar[str] = "资金占用已调整"
    en: ClassVar[str] = "reservation set"

    account_id: int
    bank_id: int
    purpose: str
    amount_fen: int
    change_fen: int
    balances: Balances


class AccountNumber(Reply):
    """The number of the cash account that was opened."""

    account_id: int


class AccountBalances(Reply):
    """The owner's account and its counters after the act."""

    account_id: int
    balances: Balances


class PayoutNumber(Reply):
    """The pay-out's number, until when the bank may answer, and the counters with the amount held."""

    payout_id: int
    expires_ms: int
    account_id: int
    balances: Balances


ACCOUNT_UNKNOWN = Refusal(4001, "account_unknown", "没有这个资金账户", "there is no such account", 404)
ACCOUNT_CLOSED = Refusal(4002, "account_closed", "资金账户已销户", "the account is closed", 409)
BALANCE_TOO_LOW = Refusal(4003, "balance_too_low", "可用余额不足", "the free funds do not suffice", 409, retry=True)
BANK_BALANCE_TOO_LOW = Refusal(
    4004, "bank_balance_too_low", "超出银行镜像余额", "the bank's mirror does not hold that much", 409, retry=True
)
ID_USED_FOR_ANOTHER_TRANSFER = Refusal(
    4005,
    "id_used_for_another_transfer",
    "该划转编号已用于另一笔划转",
    "the transfer id was used for another transfer",
    409,
)
ACCOUNTS_ARE_THE_SAME = Refusal(4006, "accounts_are_the_same", "借贷账户相同", "debit and credit account are the same")
BANKS_DIFFER = Refusal(
    4007, "banks_differ", "银行镜像只能与本行子账户往来", "a bank's mirror moves only against accounts at that bank"
)
COUNTER_IS_FULL = Refusal(
    4008, "counter_is_full", "账户累计发生额超过上限", "an account's counter would leave its range", 409
)
HOLD_UNKNOWN = Refusal(4009, "hold_unknown", "没有这笔圈存", "there is no such hold", 404)
HOLD_ALREADY_POSTED = Refusal(4010, "hold_already_posted", "圈存已入账", "the hold was posted already", 409)
HOLD_ALREADY_VOIDED = Refusal(4011, "hold_already_voided", "圈存已撤销", "the hold was voided already", 409)
HOLD_EXPIRED = Refusal(4012, "hold_expired", "圈存已过期", "the hold has expired", 409)
HOLD_TOO_SMALL = Refusal(4013, "hold_too_small", "入账金额超过圈存金额", "more is posted than was held")
ACCOUNT_ALREADY_OPEN = Refusal(4014, "account_already_open", "资金账户已开立", "the account is open already", 409)
ACCOUNT_NOT_EMPTY = Refusal(
    4015,
    "account_not_empty",
    "账户尚有余额、圈存或占用",
    "the account still has a balance, a hold or a reservation",
    409,
)
NOT_THE_NAMED_BANK = Refusal(
    4016, "not_the_named_bank", "该账户的结算银行不是发送方", "the sender is not the account's settlement bank", 403
)
BANK_REFERENCE_USED = Refusal(
    4017, "bank_reference_used", "银行流水号已用过", "the bank's reference was used before", 409
)
AMOUNT_OVER_MAXIMUM = Refusal(
    4018, "amount_over_maximum", "超过单笔上限", "the amount is over the maximum of one message"
)
PAYOUT_UNKNOWN = Refusal(4019, "payout_unknown", "没有这笔出金申请", "there is no such pay-out request", 404)

REFUSALS: tuple[Refusal, ...] = (
    ACCOUNT_UNKNOWN,
    ACCOUNT_CLOSED,
    BALANCE_TOO_LOW,
    BANK_BALANCE_TOO_LOW,
    ID_USED_FOR_ANOTHER_TRANSFER,
    ACCOUNTS_ARE_THE_SAME,
    BANKS_DIFFER,
    COUNTER_IS_FULL,
    HOLD_UNKNOWN,
    HOLD_ALREADY_POSTED,
    HOLD_ALREADY_VOIDED,
    HOLD_EXPIRED,
    HOLD_TOO_SMALL,
    ACCOUNT_ALREADY_OPEN,
    ACCOUNT_NOT_EMPTY,
    NOT_THE_NAMED_BANK,
    BANK_REFERENCE_USED,
    AMOUNT_OVER_MAXIMUM,
    PAYOUT_UNKNOWN,
)
EVENTS: tuple[type[Event], ...] = (
    AccountOpened,
    AccountClosed,
    DepositConfirmed,
    PayoutRequested,
    PayoutConfirmed,
    PayoutRefused,
    FundsTransferred,
    FundsHeld,
    HoldReleased,
    FundsReserved,
)
REPLIES: tuple[type[Reply], ...] = (AccountNumber, AccountBalances, PayoutNumber)
MESSAGES: tuple[type[Message], ...] = (
    OpenAccount,
    CloseAccount,
    ConfirmDeposit,
    RequestPayout,
    ConfirmPayout,
    RefusePayout,
)
