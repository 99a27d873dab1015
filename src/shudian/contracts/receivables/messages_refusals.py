"""The refusals of receivables."""

from shudian.kernel.outcomes import Refusal

RECEIVABLE_UNKNOWN = Refusal(12001, "receivable_unknown", "没有这张凭证", "there is no such receivable", 404)
NOT_THE_PAYEE = Refusal(12002, "not_the_payee", "不是该结算行的收款方", "the sender is not the payee of the line", 403)
NOT_THE_CREDITOR = Refusal(12003, "not_the_creditor", "不是债权人", "the sender is not the creditor", 403)
NOT_THE_DEBTOR = Refusal(12004, "not_the_debtor", "不是债务人", "the sender is not the debtor", 403)
NOT_THE_HOLDER = Refusal(12005, "not_the_holder", "不是持有人", "the sender is not the holder", 403)
SELF_DEALING = Refusal(
    12006, "self_dealing", "不得与自己或债务人本身交易", "nobody deals with itself, nor with the debtor in its own debt"
)
LINE_NOT_FINANCEABLE = Refusal(
    12007, "line_not_financeable", "该结算行不可转为凭证", "the line cannot become a receivable", 409
)
DUE_DAY_NOT_AHEAD = Refusal(12008, "due_day_not_ahead", "到期日须晚于今日", "the due day must lie ahead")
TERM_TOO_LONG = Refusal(12009, "term_too_long", "账期超过上限", "the term is too long")
LINE_IS_CLAIMED = Refusal(12010, "line_is_claimed", "该结算行已有凭证", "the line has a receivable already", 409)
INVOICE_IS_USED = Refusal(12011, "invoice_is_used", "发票已被登记", "the invoice is used already", 409)
FINGERPRINT_IS_USED = Refusal(
    12012, "fingerprint_is_used", "同一债权已被登记", "the same claim is on the ledger already", 409
)
DEBTOR_IS_BLOCKED = Refusal(
    12013, "debtor_is_blocked", "债务人有逾期，不得再签发", "the debtor is overdue and cannot issue", 409, retry=True
)
DEBTOR_LIMIT_EXCEEDED = Refusal(
    12014, "debtor_limit_exceeded", "超过债务人余额上限", "the debtor's limit is exceeded", 409, retry=True
)
NOT_WAITING = Refusal(12015, "not_waiting", "不在待确权状态", "the receivable does not wait for an answer", 409)
ACCEPTANCE_TOO_LATE = Refusal(12016, "acceptance_too_late", "确权期限已过", "the time to answer is over", 409)
ORIGIN_DIFFERS = Refusal(
    12017, "origin_differs", "凭证来源与消息不符", "the receivable has another origin than the message is for"
)
AMOUNT_DIFFERS = Refusal(12018, "amount_differs", "金额与凭证不符", "the amount is not that of the receivable")
RECEIVABLE_IS_LOCKED = Refusal(
    12019,
    "receivable_is_locked",
    "凭证已锁定（询价、已融资或质押）",
    "the receivable is locked: offered, financed or pledged",
    409,
    retry=True,
)
RECEIVABLE_IS_CLOSED = Refusal(
    12020,
    "receivable_is_closed",
    "凭证已关闭（拆分、兑付或核销）",
    "the receivable is closed: split, redeemed or written off",
    409,
)
RECEIVABLE_HAS_MATURED = Refusal(12021, "receivable_has_matured", "凭证已到期", "the receivable has matured", 409)
PARTS_DO_NOT_ADD_UP = Refusal(
    12022, "parts_do_not_add_up", "各份之和不等于原额", "the parts do not add up to the parent"
)
REQUEST_UNKNOWN = Refusal(12023, "request_unknown", "没有这项询价", "there is no such finance request", 404)
REQUEST_IS_CLOSED = Refusal(12024, "request_is_closed", "询价已结束", "the finance request is over", 409)
QUOTE_UNKNOWN = Refusal(12025, "quote_unknown", "没有这份报价", "there is no such quote", 404)
QUOTE_IS_OVER = Refusal(12026, "quote_is_over", "报价已失效", "the quote is over: expired or replaced", 409)
EXPIRY_NOT_ALLOWED = Refusal(12027, "expiry_not_allowed", "截止时间不合规", "the expiry is not allowed")
RATE_OVER_MAXIMUM = Refusal(12028, "rate_over_maximum", "利率超过上限", "the rate is over the maximum")
FEE_OVER_MAXIMUM = Refusal(12029, "fee_over_maximum", "费用超过上限", "the fee is over the maximum")
NET_TOO_LOW = Refusal(12030, "net_too_low", "实得金额过低", "the net amount is too low")
SEARCH_IS_STALE = Refusal(
    12031, "search_is_stale", "中登网查询证明过期", "the registry search is too old, or not made yet"
)
REGISTRATION_IS_USED = Refusal(
    12032, "registration_is_used", "登记编号已用于另一凭证", "the registration is used for another receivable", 409
)
SECURED_OVER_OPEN = Refusal(
    12033, "secured_over_open", "担保金额超过凭证金额", "more is secured than the receivable is worth"
)
NOT_THE_PLEDGEE = Refusal(12034, "not_the_pledgee", "不是质权人", "the receivable is not pledged to the sender", 403)
NOT_OVERDUE = Refusal(12035, "not_overdue", "债务人未逾期", "the debtor is not overdue", 409, retry=True)
WITHOUT_RECOURSE = Refusal(12036, "without_recourse", "无追索权", "the receivable was not bought with recourse", 409)

REFUSALS: tuple[Refusal, ...] = (
    RECEIVABLE_UNKNOWN,
    NOT_THE_PAYEE,
    NOT_THE_CREDITOR,
    NOT_THE_DEBTOR,
    NOT_THE_HOLDER,
    SELF_DEALING,
    LINE_NOT_FINANCEABLE,
    DUE_DAY_NOT_AHEAD,
    TERM_TOO_LONG,
    LINE_IS_CLAIMED,
    INVOICE_IS_USED,
    FINGERPRINT_IS_USED,
    DEBTOR_IS_BLOCKED,
    DEBTOR_LIMIT_EXCEEDED,
    NOT_WAITING,
    ACCEPTANCE_TOO_LATE,
    ORIGIN_DIFFERS,
    AMOUNT_DIFFERS,
    RECEIVABLE_IS_LOCKED,
    RECEIVABLE_IS_CLOSED,
    RECEIVABLE_HAS_MATURED,
    PARTS_DO_NOT_ADD_UP,
    REQUEST_UNKNOWN,
    REQUEST_IS_CLOSED,
    QUOTE_UNKNOWN,
    QUOTE_IS_OVER,
    EXPIRY_NOT_ALLOWED,
    RATE_OVER_MAXIMUM,
    FEE_OVER_MAXIMUM,
    NET_TOO_LOW,
    SEARCH_IS_STALE,
    REGISTRATION_IS_USED,
    SECURED_OVER_OPEN,
    NOT_THE_PLEDGEE,
    NOT_OVERDUE,
    WITHOUT_RECOURSE,
)
