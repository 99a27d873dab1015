"""What happened to receivables. The deed of a part is ``receivable:ID``; everything on a child stands on its root's timeline too."""

from typing import ClassVar

from shudian.contracts.receivables.messages import Debt, DebtState, Receivable
from shudian.contracts.receivables.messages_finance import FinanceRequest, Quote, RequestState
from shudian.kernel.messages import Event


class ReceivableProposed(Event):
    """A creditor asks a debtor to owe a debt as a receivable."""

    step: ClassVar[str] = "proposed"
    zh: ClassVar[str] = "已提请确权"
    en: ClassVar[str] = "receivable proposed"

    receivable_id: int
    debt: Debt


class ReceivableEnded(Event):
    """A proposal came to nothing: rejected, cancelled or lapsed. What it claimed is free again."""

    step: ClassVar[str] = "ended"
    zh: ClassVar[str] = "确权申请已终止"
    en: ClassVar[str] = "proposal ended"

    receivable_id: int
    state: DebtState
    reason: str


class ReceivableAccepted(Event):
    """The debtor owes it; the creditor holds it as a whole."""

    step: ClassVar[str] = "accepted"
    zh: ClassVar[str] = "债务人已确权"
    en: ClassVar[str] = "receivable accepted"

    receivable_id: int
    debt: Debt


class ReceivableSplit(Event):
    """A part was closed and its children stand for it."""

    step: ClassVar[str] = "split"
    zh: ClassVar[str] = "凭证已拆分"
    en: ClassVar[str] = "receivable split"

    receivable_id: int
    debtor_id: int
    due_day: int
    children_ids: tuple[int, ...]
    children: tuple[Receivable, ...]


class ReceivableTransferred(Event):
    """A part changed hands in payment; this is also the notice to the debtor (民法典 art. 546)."""

    step: ClassVar[str] = "transferred"
    zh: ClassVar[str] = "凭证已转让并通知债务人"
    en: ClassVar[str] = "receivable transferred, debtor notified"

    receivable_id: int
    from_id: int
    to_id: int
    debtor_id: int
    tier_no: int
    amount_fen: int
    contract_no: str
    evidence: bytes


class FinanceRequested(Event):
    """A holder asks banks for quotes; told to every bank by the read table, with the trade behind it, which banks judge themselves."""

    step: ClassVar[str] = "finance requested"
    zh: ClassVar[str] = "已发起融资询价"
    en: ClassVar[str] = "finance requested"

    request_id: int
    request: FinanceRequest
    debtor_id: int
    amount_fen: int
    due_day: int
    contract_no: str
    invoice_codes: tuple[str, ...]
    evidence: bytes


class FinanceQuoted(Event):
    """A bank quoted. discount_day_count, interest_fen, net_fen: were it chosen today. cost_ppm: all that it costs, fee included, as a simple yearly rate.

    replaces_id: the bank's older quote that it takes the place of, or 0.
    """

    step: ClassVar[str] = "quoted"
    zh: ClassVar[str] = "银行已报价"
    en: ClassVar[str] = "bank quoted"

    quote_id: int
    quote: Quote
    holder_id: int
    receivable_id: int
    discount_day_count: int
    interest_fen: int
    net_fen: int
    cost_ppm: int
    replaces_id: int


class FinanceEnded(Event):
    """A request ended without a choice: withdrawn or expired. The part is free again."""

    step: ClassVar[str] = "finance ended"
    zh: ClassVar[str] = "融资询价已结束"
    en: ClassVar[str] = "finance request ended"

    request_id: int
    receivable_id: int
    state: RequestState


class ReceivableFinanced(Event):
    """A bank bought a part: title and money changed hands in one act; also the notice to the debtor.

    amount_fen: face. interest_fen, fee_fen: kept back. net_fen: paid to the seller. Other fields as in the quote and the choice.
    """

    step: ClassVar[str] = "financed"
    zh: ClassVar[str] = "凭证已融资（券款对付）并通知债务人"
    en: ClassVar[str] = "receivable financed (DvP), debtor notified"

    receivable_id: int
    request_id: int
    quote_id: int
    seller_id: int
    bank_id: int
    debtor_id: int
    tier_no: int
    amount_fen: int
    rate_ppm: int
    day_count: int
    discount_day_count: int
    interest_fen: int
    fee_fen: int
    net_fen: int
    recourse: bool
    registration_no: str
    searched_ms: int
    search_evidence: bytes


class ReceivablePledged(Event):
    """A part secures a bank's loan."""

    step: ClassVar[str] = "pledged"
    zh: ClassVar[str] = "凭证已质押"
    en: ClassVar[str] = "receivable pledged"

    receivable_id: int
    holder_id: int
    bank_id: int
    secured_fen: int
    registration_no: str
    searched_ms: int
    search_evidence: bytes


class PledgeReleased(Event):
    """The pledge ended. deregister_by_day: last day to cancel the registration at the central registry."""

    step: ClassVar[str] = "released"
    zh: ClassVar[str] = "质押已解除"
    en: ClassVar[str] = "pledge released"

    receivable_id: int
    holder_id: int
    bank_id: int
    registration_no: str
    deregister_by_day: int


class ReceivablePaid(Event):
    """The debtor's money reached a part. holder_fen, pledgee_fen: who got how much. open_fen: what is left.

    deregister_by_day: once nothing is left, last day to cancel the registration; 0 if there is none.
    """

    step: ClassVar[str] = "paid"
    zh: ClassVar[str] = "凭证已兑付"
    en: ClassVar[str] = "receivable paid"

    receivable_id: int
    root_id: int
    payment_no: int
    debtor_id: int
    holder_id: int
    holder_fen: int
    pledgee_id: int
    pledgee_fen: int
    open_fen: int
    registration_no: str
    deregister_by_day: int


class DebtOverdue(Event):
    """The payment day is over and the debtor had nothing free; told once, to it and all holders. It cannot issue any more."""

    step: ClassVar[str] = "overdue"
    zh: ClassVar[str] = "债务人逾期"
    en: ClassVar[str] = "debtor overdue"

    receivable_id: int
    debtor_id: int
    open_fen: int


class RecourseClaimed(Event):
    """A bank was made whole by its seller, who has the title again."""

    step: ClassVar[str] = "recourse"
    zh: ClassVar[str] = "已行使追索权"
    en: ClassVar[str] = "recourse claimed"

    receivable_id: int
    bank_id: int
    seller_id: int
    debtor_id: int
    tier_no: int
    amount_fen: int
    registration_no: str
    deregister_by_day: int


class ReceivableWrittenOff(Event):
    """A holder gave up what was open on an overdue part."""

    step: ClassVar[str] = "written off"
    zh: ClassVar[str] = "凭证已核销"
    en: ClassVar[str] = "receivable written off"

    receivable_id: int
    root_id: int
    debtor_id: int
    holder_id: int
    amount_fen: int
    reason: str
    evidence: bytes


class DebtClosed(Event):
    """Nothing is open on any part: redeemed in full, or some of it written off."""

    step: ClassVar[str] = "closed"
    zh: ClassVar[str] = "债务已结清"
    en: ClassVar[str] = "debt closed"

    receivable_id: int
    debtor_id: int
    state: DebtState
    late: bool


EVENTS: tuple[type[Event], ...] = (
    ReceivableProposed,
    ReceivableEnded,
    ReceivableAccepted,
    ReceivableSplit,
    ReceivableTransferred,
    FinanceRequested,
    FinanceQuoted,
    FinanceEnded,
    ReceivableFinanced,
    ReceivablePledged,
    PledgeReleased,
    ReceivablePaid,
    DebtOverdue,
    RecourseClaimed,
    ReceivableWrittenOff,
    DebtClosed,
)
