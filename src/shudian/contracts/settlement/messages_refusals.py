"""The refusals of settlement, numbered for good."""

from shudian.kernel.outcomes import Refusal

DAY_NOT_OVER = Refusal(10001, "day_not_over", "该日尚未结束", "the day is not over", 409, retry=True)
DAY_IS_CLEARED = Refusal(10002, "day_is_cleared", "该日已清算", "the day is cleared already", 409)
PRICE_OUT_OF_BOUNDS = Refusal(10003, "price_out_of_bounds", "价格超出上下限", "a price is outside its bounds")
REFERENCE_PRICES_MISSING = Refusal(
    10004, "reference_prices_missing", "该日参考价未发布", "the day has no reference prices yet", 409, retry=True
)
DAY_AHEAD_MISSING = Refusal(
    10005, "day_ahead_missing", "会员该日无日前出清量", "a member has no day-ahead award for the day", 409, retry=True
)
RULES_DO_NOT_FIT = Refusal(
    10006,
    "rules_do_not_fit",
    "偏差结算规则不可并用",
    "the deviation rules of the month do not fit together",
    409,
    retry=True,
)
MONTH_NOT_CLEARED = Refusal(
    10007, "month_not_cleared", "该月有未清算日", "a day of the month is not cleared", 409, retry=True
)
REGULATION_PRICES_MISSING = Refusal(
    10008, "regulation_prices_missing", "该月调节价格未发布", "the month has no regulation prices yet", 409, retry=True
)
MONTH_IS_ISSUED = Refusal(
    10009, "month_is_issued", "该月结算单已发布", "statements of the month are issued already", 409
)
STATEMENT_EXISTS = Refusal(
    10010, "statement_exists", "该会员该月结算单已发布", "the member's statement is issued already", 409
)
MEMBER_HAS_NO_DAY_BILLS = Refusal(
    10011, "member_has_no_day_bills", "该会员该月没有日清单", "the member has no day bills in the month"
)
STATEMENT_UNKNOWN = Refusal(10012, "statement_unknown", "没有这份结算单", "there is no such statement", 404)
NOT_OWN_STATEMENT = Refusal(10013, "not_own_statement", "不是本方的结算单", "the statement is another member's", 403)
STATEMENT_IS_ACCEPTED = Refusal(
    10014, "statement_is_accepted", "结算单已确认", "the statement is accepted already", 409
)
STATEMENT_NOT_ACCEPTED = Refusal(
    10015, "statement_not_accepted", "结算单未确认", "the statement is not accepted yet", 409, retry=True
)
LINE_UNKNOWN = Refusal(10016, "line_unknown", "没有这一结算行", "there is no such line", 404)
NOT_OWN_LINE = Refusal(10017, "not_own_line", "不是本方的结算行", "the line is between other members", 403)
OBJECTION_TOO_LATE = Refusal(10018, "objection_too_late", "异议期已过", "the period to object is over", 409)
LINE_WAS_OBJECTED = Refusal(10019, "line_was_objected", "该行已被异议过", "the line was objected to before", 409)
OBJECTION_UNKNOWN = Refusal(10020, "objection_unknown", "没有这项异议", "there is no such objection", 404)
OBJECTION_IS_ANSWERED = Refusal(10021, "objection_is_answered", "异议已答复", "the objection is answered already", 409)
NOTHING_TO_PAY = Refusal(10022, "nothing_to_pay", "没有可付的结算行", "no line can be paid now", 409, retry=True)
DAY_NOT_CLEARED = Refusal(10023, "day_not_cleared", "该日尚未清算", "the day is not cleared yet", 409, retry=True)
NOTHING_CHANGES = Refusal(
    10024, "nothing_changes", "重新清算与原结果一致", "clearing anew changes nothing", 409, retry=True
)
LINE_IS_DISPUTED = Refusal(
    10025, "line_is_disputed", "该行有未决异议", "an objection to the line is open", 409, retry=True
)
LINE_IS_PAID = Refusal(10026, "line_is_paid", "该行已支付", "the line is paid already", 409)
LINE_IS_CONVERTED = Refusal(
    10027, "line_is_converted", "该行已转为应收账款", "the line has become a receivable already", 409
)
LINE_IS_CORRECTED = Refusal(10028, "line_is_corrected", "该行已被更正行取代", "another line has replaced the line", 409)
LINE_NOT_ACCEPTED = Refusal(
    10029, "line_not_accepted", "双方尚未确认该行", "both sides must accept the line first", 409, retry=True
)
NOTHING_TO_CONVERT = Refusal(10030, "nothing_to_convert", "该行金额为零", "the line's amount is zero")
OBJECTION_NOT_ANSWERED = Refusal(
    10031, "objection_not_answered", "异议尚未答复", "the objection is not answered yet", 409, retry=True
)
MEDIATION_TOO_LATE = Refusal(
    10032, "mediation_too_late", "申请调解期限已过", "the period to ask for mediation is over", 409
)
MEDIATION_WAS_REQUESTED = Refusal(
    10033, "mediation_was_requested", "该异议已申请过调解", "mediation was asked for before", 409
)
NOT_IN_MEDIATION = Refusal(10034, "not_in_mediation", "该异议不在调解中", "the objection is not in mediation", 409)

REFUSALS: tuple[Refusal, ...] = (
    DAY_NOT_OVER,
    DAY_IS_CLEARED,
    PRICE_OUT_OF_BOUNDS,
    REFERENCE_PRICES_MISSING,
    DAY_AHEAD_MISSING,
    RULES_DO_NOT_FIT,
    MONTH_NOT_CLEARED,
    REGULATION_PRICES_MISSING,
    MONTH_IS_ISSUED,
    STATEMENT_EXISTS,
    MEMBER_HAS_NO_DAY_BILLS,
    STATEMENT_UNKNOWN,
    NOT_OWN_STATEMENT,
    STATEMENT_IS_ACCEPTED,
    STATEMENT_NOT_ACCEPTED,
    LINE_UNKNOWN,
    NOT_OWN_LINE,
    OBJECTION_TOO_LATE,
    LINE_WAS_OBJECTED,
    OBJECTION_UNKNOWN,
    OBJECTION_IS_ANSWERED,
    NOTHING_TO_PAY,
    DAY_NOT_CLEARED,
    NOTHING_CHANGES,
    LINE_IS_DISPUTED,
    LINE_IS_PAID,
    LINE_IS_CONVERTED,
    LINE_IS_CORRECTED,
    LINE_NOT_ACCEPTED,
    NOTHING_TO_CONVERT,
    OBJECTION_NOT_ANSWERED,
    MEDIATION_TOO_LATE,
    MEDIATION_WAS_REQUESTED,
    NOT_IN_MEDIATION,
)
