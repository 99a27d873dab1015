"""The read tables of receivables, and who may see a row."""

from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.reading.tables import PUBLIC, ReadTable, blob, integer, parties, text

_WATCHERS = (*OVERSIGHT, Kind.BANK)
"""Banks look at requests and at what a debtor owes in all: they judge its total debt themselves (银发〔2025〕77号)."""

_RECEIVABLE = integer("receivable_id", "凭证", "receivable")
_ROOT = integer("root_id", "原始凭证", "root receivable")
_DEBTOR = integer("debtor_id", "债务人", "debtor")
_HOLDER = integer("holder_id", "持有人", "holder")
_AMOUNT = integer("amount_fen", "金额（分）", "amount (fen)")
_DUE = integer("due_day", "到期日", "due day")
_STATE = text("state", "状态", "state")
_TIER = integer("tier_no", "流转层级", "tier")

DEBTS = ReadTable(
    "receivables_debts",
    (
        _RECEIVABLE,
        text("origin", "来源", "origin"),
        integer("line_id", "结算行", "bill line"),
        integer("creditor_id", "债权人", "creditor"),
        _DEBTOR,
        text("contract_no", "合同号", "contract"),
        text("invoice_codes", "发票号码", "invoices"),
        blob("evidence", "凭据摘要", "digest of evidence"),
        _AMOUNT,
        integer("open_fen", "未付（分）", "open (fen)"),
        integer("issued_day", "签发日", "issued"),
        _DUE,
        integer("accept_by_day", "确权截止日", "answer by"),
        blob("fingerprint", "债权指纹", "fingerprint"),
        _STATE,
        text("reason", "原因", "reason"),
    ),
    ("receivable_id",),
    parties("creditor_id", "debtor_id", also=OVERSIGHT),
    (("debtor_id", "state"), ("creditor_id",)),
)

PARTS = ReadTable(
    "receivables_parts",
    (
        _RECEIVABLE,
        _ROOT,
        integer("parent_id", "拆分自", "split from"),
        _DEBTOR,
        _HOLDER,
        integer("seller_id", "融资出让方", "seller to the bank"),
        integer("pledgee_id", "质权人", "pledgee"),
        _TIER,
        _AMOUNT,
        integer("paid_fen", "已兑付（分）", "paid (fen)"),
        integer("secured_fen", "担保金额（分）", "secured (fen)"),
        _DUE,
        _STATE,
        integer("recourse", "有追索权", "with recourse"),
        text("registration_no", "中登网登记编号", "central registry number"),
        integer("deregister_by_day", "注销登记截止日", "cancel registration by"),
    ),
    ("receivable_id",),
    parties("holder_id", "debtor_id", "seller_id", "pledgee_id", also=OVERSIGHT),
    (("holder_id", "state"), ("root_id",)),
)

ENDORSEMENTS = ReadTable(
    "receivables_endorsements",
    (
        _RECEIVABLE,
        _TIER,
        _ROOT,
        _DEBTOR,
        text("way", "流转方式", "way"),
        integer("from_id", "出让方", "from"),
        integer("to_id", "受让方", "to"),
        _AMOUNT,
        text("contract_no", "合同号", "contract"),
        blob("evidence", "凭据摘要", "digest of evidence"),
        integer("made_ms", "时间", "time"),
    ),
    ("receivable_id", "tier_no"),
    parties("from_id", "to_id", "debtor_id", also=OVERSIGHT),
    (("root_id",),),
)

REQUESTS = ReadTable(
    "receivables_requests",
    (
        integer("request_id", "询价", "request"),
        _RECEIVABLE,
        _HOLDER,
        _DEBTOR,
        _AMOUNT,
        _DUE,
        text("contract_no", "合同号", "contract"),
        text("invoice_codes", "发票号码", "invoices"),
        blob("evidence", "凭据摘要", "digest of evidence"),
        integer("expires_ms", "截止时间", "until"),
        _STATE,
        integer("quotes_count", "报价数", "quotes"),
    ),
    ("request_id",),
    parties("holder_id", also=_WATCHERS),
    (("state",),),
)

QUOTES = ReadTable(
    "receivables_quotes",
    (
        integer("quote_id", "报价", "quote"),
        integer("request_id", "询价", "request"),
        _RECEIVABLE,
        _HOLDER,
        integer("bank_id", "银行", "bank"),
        integer("rate_ppm", "年利率（百万分之一）", "yearly rate (ppm)"),
        integer("day_count", "计息基准天数", "days of the year"),
        integer("discount_day_count", "贴现天数", "days discounted"),
        integer("interest_fen", "利息（分）", "interest (fen)"),
        integer("fee_fen", "费用（分）", "fee (fen)"),
        integer("net_fen", "实得（分）", "net (fen)"),
        integer("cost_ppm", "综合年化成本（百万分之一）", "all-in yearly cost (ppm)"),
        integer("recourse", "有追索权", "with recourse"),
        integer("expires_ms", "有效期至", "until"),
        _STATE,
    ),
    ("quote_id",),
    parties("holder_id", "bank_id", also=OVERSIGHT),
    (("request_id",),),
)

PAYMENTS = ReadTable(
    "receivables_payments",
    (
        _RECEIVABLE,
        integer("payment_no", "次序", "payment"),
        _ROOT,
        _DEBTOR,
        _HOLDER,
        integer("holder_fen", "付持有人（分）", "to the holder (fen)"),
        integer("pledgee_id", "质权人", "pledgee"),
        integer("pledgee_fen", "付质权人（分）", "to the pledgee (fen)"),
        integer("open_fen", "未付（分）", "open (fen)"),
        integer("paid_ms", "兑付时间", "paid at"),
    ),
    ("receivable_id", "payment_no"),
    parties("holder_id", "debtor_id", "pledgee_id", also=OVERSIGHT),
)

DEBTORS = ReadTable(
    "receivables_debtors",
    (
        _DEBTOR,
        integer("accepted_fen", "累计确权（分）", "accepted (fen)"),
        integer("open_fen", "未付（分）", "open (fen)"),
        integer("overdue_count", "逾期债务数", "overdue debts"),
        integer("written_off_fen", "已核销（分）", "written off (fen)"),
    ),
    ("debtor_id",),
    parties("debtor_id", also=_WATCHERS),
)

TOTALS = ReadTable(
    "receivables_totals",
    (
        integer("month", "月份", "month"),
        integer("issued_count", "签发数", "issued"),
        integer("issued_fen", "签发金额（分）", "issued (fen)"),
        integer("financed_count", "融资数", "financed"),
        integer("financed_fen", "融资票面（分）", "financed face (fen)"),
        integer("net_fen", "融资实得（分）", "financed net (fen)"),
        integer("redeemed_count", "结清债务数", "debts redeemed"),
        integer("paid_fen", "兑付金额（分）", "paid (fen)"),
        integer("overdue_count", "逾期债务数", "debts overdue"),
    ),
    ("month",),
    PUBLIC,
)

TABLES = (DEBTS, PARTS, ENDORSEMENTS, REQUESTS, QUOTES, PAYMENTS, DEBTORS, TOTALS)
