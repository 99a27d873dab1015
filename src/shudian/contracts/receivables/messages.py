"""What may be said to receivables about their birth and title, what stands on one, the settings, and the replies.

An electronic receivable 应收账款电子凭证 is the debtor's confirmed debt, in parts that change hands. Basis: 银发〔2025〕77号 (real trade only,
six months as a rule, never beyond a year, no fee for confirming, no pooling of money) and 民法典 ch. 16 (notice of assignment to the debtor).
"""

from enum import StrEnum
from typing import ClassVar

from shudian.contracts.roles import TRADING_KINDS, Kind, Role
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import Authority, Message, Setting
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Reply, both

ID_MAX = 2**62
PARTS_MAX_COUNT = 50
INVOICES_MAX_COUNT = 50
CONTRACT_NO_LONGEST = 80
REASON_LONGEST = 500
TERM_HARD_DAY_COUNT = 365
HOLDER_KINDS = (*TRADING_KINDS, Kind.BANK)
"""Kinds that may hold title. The exchange may not: an information service is no credit intermediary (银发〔2025〕77号)."""
_INVOICE_DIGITS = "0123456789"
_INVOICE_SHORTEST, _INVOICE_LONGEST = 8, 20


class Origin(StrEnum):
    """What a debt was born from."""

    LINE = "line"
    """A line of an accepted statement 结算行."""
    INVOICE = "invoice"
    """An invoice that its debtor confirmed on the ledger 发票."""


class DebtState(StrEnum):
    """Life of the debt behind all parts of a receivable."""

    PROPOSED = "proposed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    """Withdrawn by the creditor before the debtor's answer."""
    LAPSED = "lapsed"
    """The debtor gave no answer in time."""
    ACCEPTED = "accepted"
    OVERDUE = "overdue"
    REDEEMED = "redeemed"
    WRITTEN_OFF = "written_off"
    """Nothing is open any more, and some of it was written off."""


class State(StrEnum):
    """Life of a part."""

    HELD = "held"
    SPLIT = "split"
    """Closed: its children stand in its place."""
    OFFERED = "offered"
    """Locked while banks quote."""
    FINANCED = "financed"
    """Title is a bank's."""
    PLEDGED = "pledged"
    """Locked as security of a bank."""
    REDEEMED = "redeemed"
    WRITTEN_OFF = "written_off"


OPEN_STATES = (State.HELD, State.OFFERED, State.FINANCED, State.PLEDGED)
"""States in which a part is still to be paid."""


class Debt(Record):
    """What a debtor owes by one due day; all parts of a receivable share it.

    origin, line_id: what it was born from (line_id 0 for an invoice). creditor_id, debtor_id: members. contract_no, invoice_codes: of the
    trade behind it. evidence: 32-byte digest of its documents. amount_fen: in all. open_fen: unpaid and not written off. issued_day,
    due_day: yyyymmdd. accept_by_day: last day for the debtor's answer. fingerprint: 32 bytes, unique over the ledger. state: see there.
    """

    origin: Origin
    line_id: int
    creditor_id: int
    debtor_id: int
    contract_no: str
    invoice_codes: tuple[str, ...]
    evidence: bytes
    amount_fen: int
    open_fen: int
    issued_day: int
    due_day: int
    accept_by_day: int
    fingerprint: bytes
    state: DebtState = DebtState.PROPOSED


class Receivable(Record):
    """A part of a debt with one holder.

    root_id: the receivable first accepted; its number is the debt's. parent_id: what it was split from, or 0. holder_id: who has title. tier_no:
    changes of title since the creditor. amount_fen: face. paid_fen: redeemed so far. payment_count: payments so far. state: see there.
    request_id: the finance request that locks it, or 0. seller_id, recourse: who sold it to the bank, and whether the bank may return it.
    pledgee_id, secured_fen: the bank it secures and for how much of it, paid to that bank before the holder; 0 if none.
    registration_no: of the central registry 中登网, or empty.
    """

    root_id: int
    parent_id: int
    holder_id: int
    tier_no: int
    amount_fen: int
    paid_fen: int = 0
    payment_count: int = 0
    state: State = State.HELD
    request_id: int = 0
    seller_id: int = 0
    recourse: bool = False
    pledgee_id: int = 0
    secured_fen: int = 0
    registration_no: str = ""

    @property
    def open_fen(self) -> int:
        """What is still to be paid on it."""
        return self.amount_fen - self.paid_fen


# ------------------------------------------------------------------------------------------------------------------ settings

_DEBTORS_BAND = "receivables.second_signer_from_fen"

SETTINGS = (
    Setting("receivables.term_day_count", 1, TERM_HARD_DAY_COUNT, "账期上限（天）", "longest term in days"),
    Setting(
        "receivables.accept_working_day_count",
        1,
        30,
        "债务人确权期限（工作日）",
        "working days for the debtor's answer",
    ),
    Setting(
        "receivables.debtor_limit_fen", 0, fields.AMOUNT_MAX, "单一债务人余额上限", "limit per debtor", scoped=True
    ),
    Setting(_DEBTORS_BAND, 1, fields.AMOUNT_MAX, "确权双人复核起点金额", "acceptances from this amount on need two"),
    Setting("receivables.quoting_max_ms", 60_000, 2_592_000_000, "融资询价最长时间", "longest time to ask for quotes"),
    Setting("receivables.rate_max_ppm", 0, 1_000_000, "融资年利率上限", "highest yearly rate"),
    Setting("receivables.fee_max_ppm", 0, 1_000_000, "融资费用占票面上限", "highest fee as a share of the face"),
    Setting("receivables.search_max_ms", 60_000, 86_400_000, "中登网查询证明有效期", "age of the registry search"),
    Setting(
        "receivables.deregister_working_day_count",
        1,
        30,
        "结清后注销中登网登记期限（工作日）",
        "working days to cancel the registration after redemption",
    ),
)


# ------------------------------------------------------------------------------------------------------------------ messages


def finance_officer(kinds: tuple[Kind, ...], when_zh: str, when_en: str, band: str = "") -> Authority:
    """Authority of a finance officer of some kinds of member; ``band``: the setting from which a second one must sign."""
    return Authority(kinds=kinds, role=Role.FINANCE, when_zh=when_zh, when_en=when_en, second_signer_setting=band)


def check_receivable_id(value: int) -> None:
    """Refuse what is no number of a receivable. Refuses: 1011."""
    fields.whole("receivable_id", value, 1, ID_MAX)


class ProposeReceivable(Message):
    """Ask the payer of an accepted statement line to owe it as a receivable until ``due_day``. Said by the line's payee."""

    authority: ClassVar[Authority] = finance_officer(
        TRADING_KINDS,
        "本方应收、未付、无争议的结算行；账期在上限内；债务人未逾期",
        "an open line due to the sender; term within the limit; debtor not overdue",
    )

    line_id: int
    due_day: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("line_id", self.line_id, 1, ID_MAX)
        fields.day("due_day", self.due_day)


class SubmitInvoice(Message):
    """Ask a buyer to confirm what it owes on invoices. Said by the creditor.

    invoice_codes: 8 to 20 digits each, rising, so that a set of invoices has one form. evidence: SHA-256 of contract, invoices, delivery note.
    """

    authority: ClassVar[Authority] = finance_officer(
        TRADING_KINDS,
        "发票未被登记过；账期在上限内；债务人未逾期",
        "invoices not used before; term within the limit; debtor not overdue",
    )

    debtor_id: int
    contract_no: str
    invoice_codes: tuple[str, ...]
    evidence: bytes
    amount_fen: int
    due_day: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("debtor_id", self.debtor_id, 1, ID_MAX)
        fields.text("contract_no", self.contract_no, CONTRACT_NO_LONGEST)
        _check_invoice_codes(self.invoice_codes)
        fields.digest("evidence", self.evidence)
        fields.whole("amount_fen", self.amount_fen, 1, fields.AMOUNT_MAX)
        fields.day("due_day", self.due_day)


def _check_invoice_codes(codes: tuple[str, ...]) -> None:
    fields.count("invoice_codes", codes, 1, INVOICES_MAX_COUNT)
    for place, code in enumerate(codes):
        name = f"invoice_codes[{place}]"
        fields.text(name, code, _INVOICE_LONGEST, _INVOICE_SHORTEST)
        if any(character not in _INVOICE_DIGITS for character in code):
            raise FIELD_NOT_ALLOWED(name, code, both("仅限数字", "digits only"))
        if place and code <= codes[place - 1]:
            raise FIELD_NOT_ALLOWED(name, code, f"> {codes[place - 1]}")


_DEBTORS_ANSWER = finance_officer(
    TRADING_KINDS,
    "本方为债务人、在确权期限内、余额在上限内、无逾期",
    "the sender is the debtor, in time, within its limit, not overdue",
    _DEBTORS_BAND,
)


class AcceptReceivable(Message):
    """Accept a receivable that was proposed on a statement line. Said by the debtor; ``amount_fen``: the face, said again.

    It will pay without condition on the due day, out of its cash account; from now on the line is paid only through the receivable.
    """

    authority: ClassVar[Authority] = _DEBTORS_ANSWER

    receivable_id: int
    amount_fen: int

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)
        fields.whole("amount_fen", self.amount_fen, 1, fields.AMOUNT_MAX)

    def band_fen(self) -> int:
        """The face."""
        return self.amount_fen


class ConfirmInvoice(Message):
    """Confirm the debt on submitted invoices, to be paid as an accepted one. Said by the debtor; ``amount_fen``: the face, said again."""

    authority: ClassVar[Authority] = _DEBTORS_ANSWER

    receivable_id: int
    amount_fen: int

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)
        fields.whole("amount_fen", self.amount_fen, 1, fields.AMOUNT_MAX)

    def band_fen(self) -> int:
        """The face."""
        return self.amount_fen


class RejectReceivable(Message):
    """Decline to owe a proposed receivable or submitted invoices. Said by the debtor."""

    authority: ClassVar[Authority] = finance_officer(
        TRADING_KINDS, "本方为债务人、尚未答复", "the sender is the debtor and has not answered"
    )

    receivable_id: int
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)
        fields.text("reason", self.reason, REASON_LONGEST)


class WithdrawReceivable(Message):
    """Take a proposal back before its answer. Said by the creditor."""

    authority: ClassVar[Authority] = finance_officer(
        TRADING_KINDS, "本方提出、债务人尚未答复", "the sender proposed it and the debtor has not answered"
    )

    receivable_id: int

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)


class SplitReceivable(Message):
    """Split a part into smaller ones, to the fen; the parts add up to the parent, which is closed. There is no merging."""

    authority: ClassVar[Authority] = finance_officer(
        TRADING_KINDS,
        "本方持有、未锁定、未到期；各份之和等于原额",
        "held by the sender, not locked, not matured; parts add up",
    )

    receivable_id: int
    amounts_fen: tuple[int, ...]

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)
        fields.count("amounts_fen", self.amounts_fen, 2, PARTS_MAX_COUNT)
        for place, amount_fen in enumerate(self.amounts_fen):
            fields.whole(f"amounts_fen[{place}]", amount_fen, 1, fields.AMOUNT_MAX)


class TransferReceivable(Message):
    """Pay a supplier with a whole part; the debtor is told, and the debt between giver and taker is extinguished by its face.

    contract_no, evidence: the trade that is paid so (only real trade may be paid).
    """

    authority: ClassVar[Authority] = finance_officer(
        TRADING_KINDS,
        "本方持有、未锁定、未到期；受让方非债务人",
        "held by the sender, not locked, not matured; taker not the debtor",
    )

    receivable_id: int
    to_id: int
    contract_no: str
    evidence: bytes

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)
        fields.whole("to_id", self.to_id, 1, ID_MAX)
        fields.text("contract_no", self.contract_no, CONTRACT_NO_LONGEST)
        fields.digest("evidence", self.evidence)


class WriteOffReceivable(Message):
    """Give up an overdue part: what is open on it is collected no more. Said by its holder."""

    authority: ClassVar[Authority] = finance_officer(
        HOLDER_KINDS, "本方持有、未质押、已逾期", "held by the sender, not pledged, overdue"
    )

    receivable_id: int
    reason: str
    evidence: bytes

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)
        fields.text("reason", self.reason, REASON_LONGEST)
        fields.digest("evidence", self.evidence)


# ------------------------------------------------------------------------------------------------------------------ replies


class ReceivableReply(Reply):
    """The receivable's number, its fingerprint, and the last day for the debtor's answer."""

    receivable_id: int
    fingerprint: bytes
    accept_by_day: int


class PartsReply(Reply):
    """The new parts in the order of the amounts asked for."""

    receivable_ids: tuple[int, ...]


MESSAGES: tuple[type[Message], ...] = (
    ProposeReceivable,
    SubmitInvoice,
    AcceptReceivable,
    ConfirmInvoice,
    RejectReceivable,
    WithdrawReceivable,
    SplitReceivable,
    TransferReceivable,
    WriteOffReceivable,
)
