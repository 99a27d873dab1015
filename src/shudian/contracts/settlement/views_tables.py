"""The read tables of settlement and who may see them."""

from shudian.contracts.roles import OVERSIGHT
from shudian.reading.tables import PUBLIC, ReadTable, blob, integer, parties, text

REFERENCE_PRICES = ReadTable(
    "settlement_reference_prices",
    (
        integer("day", "日期", "day"),
        integer("segment", "时段", "segment"),
        integer("day_ahead_myuan_mwh", "日前价格", "day-ahead price"),
        integer("real_time_myuan_mwh", "实时价格", "real-time price"),
        integer("market_myuan_mwh", "市场合同均价", "average contract price"),
        integer("version_no", "版本", "version"),
    ),
    ("day", "segment"),
    PUBLIC,
)

REGULATION_PRICES = ReadTable(
    "settlement_regulation_prices",
    (
        integer("month", "月份", "month"),
        integer("up_myuan_mwh", "上调价格", "up-regulation price"),
        integer("increment_top_myuan_mwh", "最高增发价格", "top increment price"),
        integer("down_called", "是否下调", "down-regulation called"),
    ),
    ("month",),
    PUBLIC,
)

DAY_AHEAD = ReadTable(
    "settlement_day_ahead",
    (
        integer("day", "日期", "day"),
        integer("member_id", "会员", "member"),
        text("segments_kwh", "各时段日前电量", "day-ahead energy by segment"),
    ),
    ("day", "member_id"),
    parties("member_id", also=OVERSIGHT),
)

DAYS = ReadTable(
    "settlement_days",
    (
        integer("day", "日期", "day"),
        integer("version_no", "版本", "version"),
        integer("member_count", "会员数", "members"),
        integer("agreement_count", "合同数", "agreements"),
        integer("contract_kwh", "合同电量", "contract energy"),
        integer("contract_fen", "合同电费", "contract amount"),
        integer("generation_kwh", "上网电量", "metered generation"),
        integer("load_kwh", "用电量", "metered load"),
        integer("charged_fen", "偏差应收", "deviation owed by members"),
        integer("credited_fen", "偏差应付", "deviation owed to members"),
        integer("recovered_fen", "偏差回收", "deviation recovery"),
        integer("late", "超期", "late"),
        integer("cleared_ms", "清算时间", "cleared at"),
    ),
    ("day",),
    PUBLIC,
)

DAY_BILLS = ReadTable(
    "settlement_day_bills",
    (
        integer("day", "日期", "day"),
        integer("member_id", "会员", "member"),
        integer("contract_kwh", "合同净电量", "contract energy, net"),
        integer("metered_kwh", "计量净电量", "metered energy, net"),
        integer("contract_fen", "合同电费", "contract amount"),
        integer("day_ahead_kwh", "日前偏差电量", "day-ahead deviation"),
        integer("day_ahead_fen", "日前偏差电费", "day-ahead deviation amount"),
        integer("deviation_kwh", "实时偏差电量", "real-time deviation"),
        integer("deviation_fen", "实时偏差电费", "real-time deviation amount"),
        integer("recovery_fen", "偏差回收费", "deviation recovery"),
        integer("returned_fen", "偏差回收返还", "recovery returned"),
        integer("total_fen", "合计", "total"),
        text("contract_segments_kwh", "各时段合同电量", "contract energy by segment"),
        text("metered_segments_kwh", "各时段计量电量", "metered energy by segment"),
        text("used_segments_kwh", "各时段用电量", "metered load by segment"),
    ),
    ("day", "member_id"),
    parties("member_id", also=OVERSIGHT),
    (("member_id", "day"),),
)

AGREEMENT_DAYS = ReadTable(
    "settlement_agreement_days",
    (
        integer("agreement_id", "合同", "agreement"),
        integer("day", "日期", "day"),
        integer("seller_id", "卖方", "seller"),
        integer("buyer_id", "买方", "buyer"),
        integer("energy_kwh", "电量", "energy"),
        integer("amount_fen", "电费", "amount"),
    ),
    ("agreement_id", "day"),
    parties("seller_id", "buyer_id", also=OVERSIGHT),
    (("day",),),
)

STATEMENTS = ReadTable(
    "settlement_statements",
    (
        integer("statement_id", "结算单", "statement"),
        integer("member_id", "会员", "member"),
        integer("month", "月份", "month"),
        integer("issued_day", "发布日", "issued on"),
        integer("issued_late", "逾期发布", "issued late"),
        integer("objection_end_day", "异议截止日", "objections until"),
        integer("due_day", "付款到期日", "due on"),
        integer("payable_fen", "应付", "payable"),
        integer("receivable_fen", "应收", "receivable"),
        integer("paid_fen", "已付", "paid"),
        integer("received_fen", "已收", "received"),
        integer("converted_fen", "应付转应收账款凭证", "payable turned into receivables"),
        integer("assigned_fen", "应收转应收账款凭证", "receivable turned into receivables"),
        text("state", "状态", "state"),
        integer("accepted_in_silence", "默认确认", "accepted in silence"),
        integer("overdue_fen", "逾期金额", "overdue when marked"),
    ),
    ("statement_id",),
    parties("member_id", also=OVERSIGHT),
    (("member_id", "month"), ("month",)),
)

LINES = ReadTable(
    "settlement_lines",
    (
        integer("line_id", "结算行", "line"),
        integer("month", "月份", "month"),
        text("kind", "科目", "item"),
        integer("payer_id", "付款方", "payer"),
        integer("payee_id", "收款方", "payee"),
        integer("amount_fen", "金额", "amount"),
        integer("energy_kwh", "电量", "energy"),
        integer("agreement_id", "合同", "agreement"),
        integer("resource_id", "用电资源", "load"),
        text("state", "状态", "state"),
        text("formula", "公式", "formula"),
        text("names", "输入项", "inputs"),
        text("numbers", "输入值", "values"),
        integer("billed_fen", "前已结算", "billed before"),
        text("explanation_zh", "计算说明", "explanation in Chinese"),
        text("explanation_en", "英文说明", "explanation in English"),
        integer("corrects_line_id", "更正自", "corrects"),
        integer("origin_month", "退补所属月份", "month that a correction is about"),
        integer("replaced_by_line_id", "更正为", "replaced by"),
        integer("netting_id", "轧差", "netting"),
        text("converted_for", "应收账款凭证", "receivable"),
        integer("paid_ms", "支付时间", "paid at"),
    ),
    ("line_id",),
    parties("payer_id", "payee_id", also=OVERSIGHT),
    (("payer_id", "month"), ("payee_id", "month"), ("agreement_id",), ("month",)),
)

OBJECTIONS = ReadTable(
    "settlement_objections",
    (
        integer("objection_id", "异议", "objection"),
        integer("line_id", "结算行", "line"),
        integer("member_id", "异议方", "raised by"),
        integer("payer_id", "付款方", "payer"),
        integer("payee_id", "收款方", "payee"),
        integer("claimed_fen", "主张金额", "claimed"),
        blob("evidence", "证据摘要", "digest of evidence"),
        text("reason", "理由", "reason"),
        integer("answer_due_day", "答复期限", "answer due"),
        text("state", "状态", "state"),
        text("answer", "答复", "answer"),
        integer("answered_late", "逾期答复", "answered late"),
        integer("mediation_end_day", "申请调解截止日", "mediation until"),
        text("mediation_reason", "申请调解理由", "reason for mediation"),
        text("decision", "调解结果", "decision"),
        integer("standing_line_id", "现行结算行", "line that stands"),
        integer("change_fen", "更正金额", "change"),
    ),
    ("objection_id",),
    parties("payer_id", "payee_id", also=OVERSIGHT),
    (("line_id",),),
)

NETTINGS = ReadTable(
    "settlement_nettings",
    (
        integer("netting_id", "轧差", "netting"),
        integer("statement_id", "结算单", "statement"),
        integer("month", "月份", "month"),
        integer("payer_id", "净付款方", "net payer"),
        integer("payee_id", "净收款方", "net payee"),
        integer("gross_fen", "应付总额", "owed by the payer"),
        integer("counter_fen", "抵扣金额", "owed by the payee"),
        integer("net_fen", "净额", "net"),
        text("line_ids", "结算行", "lines"),
        integer("paid_ms", "支付时间", "paid at"),
    ),
    ("netting_id",),
    parties("payer_id", "payee_id", also=OVERSIGHT),
    (("month",),),
)

MONTH_TOTALS = ReadTable(
    "settlement_month_totals",
    (
        integer("month", "月份", "month"),
        text("kind", "科目", "item"),
        text("zh", "科目中文名", "item in Chinese"),
        text("en", "科目英文名", "item in English"),
        integer("line_count", "行数", "lines"),
        integer("energy_kwh", "电量", "energy taken by the payers"),
        integer("amount_fen", "金额", "amount"),
    ),
    ("month", "kind"),
    PUBLIC,
)

TABLES = (
    REFERENCE_PRICES,
    REGULATION_PRICES,
    DAY_AHEAD,
    DAYS,
    DAY_BILLS,
    AGREEMENT_DAYS,
    STATEMENTS,
    LINES,
    OBJECTIONS,
    NETTINGS,
    MONTH_TOTALS,
)
