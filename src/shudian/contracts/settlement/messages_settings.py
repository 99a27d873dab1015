"""The dated settings of settlement: deviation rules, deadlines, tariffs, the time-of-use tables."""

from shudian.kernel.messages import Setting

PRICE_LIMIT_MYUAN_MWH = 100_000_000
_TARIFF_MAX_E8YUAN_KWH = 1_000_000_000
_PPM_MAX = 10_000_000

SETTINGS = (
    Setting(
        "settlement.rule_code",
        1,
        4,
        "偏差结算规则（1 双结算，2 单结算，4 月度偏差）",
        "deviation rule (1 F1, 2 F2, 4 F4)",
        scoped=True,
    ),
    Setting("settlement.spot_floor_myuan_mwh", -PRICE_LIMIT_MYUAN_MWH, 0, "参考价下限", "lowest reference price"),
    Setting("settlement.spot_cap_myuan_mwh", 0, PRICE_LIMIT_MYUAN_MWH, "参考价上限", "highest reference price"),
    Setting("settlement.clearing_day_count", 1, 31, "日清期限（自然日）", "days for daily clearing"),
    Setting(
        "settlement.issue_working_day_count", 1, 31, "结算依据发布期限（工作日）", "working days to issue statements"
    ),
    Setting("settlement.objection_working_day_count", 1, 31, "异议期限（工作日）", "working days to object"),
    Setting(
        "settlement.answer_working_day_count", 1, 31, "异议答复期限（工作日）", "working days to answer an objection"
    ),
    Setting("settlement.due_working_day_count", 1, 60, "付款期限（发布后工作日）", "working days to pay after issue"),
    Setting("settlement.f4_over_ppm", 0, _PPM_MAX, "超用免考核带", "band above contract energy"),
    Setting("settlement.f4_under_ppm", 0, 1_000_000, "少用免考核带", "band below contract energy"),
    Setting("settlement.f4_assessment_ppm", 0, _PPM_MAX, "少用考核比例", "assessment of energy short"),
    Setting(
        "settlement.f5_factor_ppm", 0, _PPM_MAX, "偏差回收系数（0 不启用）", "F5 recovery factor (0: off)", scoped=True
    ),
    Setting("settlement.f5_over_ppm", 0, _PPM_MAX, "偏差回收上限比例", "F5 upper edge of metered against contract"),
    Setting("settlement.f5_under_ppm", 0, _PPM_MAX, "偏差回收下限比例", "F5 lower edge of metered against contract"),
    Setting(
        "settlement.green_rule_code",
        1,
        2,
        "绿电认证电量规则（1 按小时取小，2 按月取小）",
        "certified volume of green agreements (1 by hour, 2 by month)",
    ),
    Setting(
        "settlement.provisional_code",
        0,
        1,
        "争议行先行支付（0 付款方自选，1 一律）",
        "disputed lines are paid provisionally (0 if the payer chooses, 1 always)",
    ),
    Setting(
        "settlement.netting_code", 0, 1, "双边轧差支付（0 否，1 是）", "pay the net between two members (0 no, 1 yes)"
    ),
    Setting(
        "settlement.mediation_working_day_count", 1, 60, "申请调解期限（工作日）", "working days to ask for mediation"
    ),
    Setting("settlement.purchase_e8yuan_kwh", 0, _TARIFF_MAX_E8YUAN_KWH, "代理购电价格", "agency purchase price"),
    Setting("settlement.loss_e8yuan_kwh", 0, _TARIFF_MAX_E8YUAN_KWH, "上网环节线损费用", "upstream loss"),
    Setting("settlement.system_e8yuan_kwh", 0, _TARIFF_MAX_E8YUAN_KWH, "系统运行费", "system operation"),
    Setting(
        "settlement.system_part_e8yuan_kwh",
        -_TARIFF_MAX_E8YUAN_KWH,
        _TARIFF_MAX_E8YUAN_KWH,
        "系统运行费构成（账单列示）",
        "parts of system operation, as shown on a bill",
        count=8,
    ),
    Setting(
        "settlement.levy_part_e8yuan_kwh",
        0,
        _TARIFF_MAX_E8YUAN_KWH,
        "政府性基金及附加构成（账单列示）",
        "parts of the funds and surcharges, as shown on a bill",
        count=5,
    ),
    Setting("settlement.levy_e8yuan_kwh", 0, _TARIFF_MAX_E8YUAN_KWH, "政府性基金及附加", "government funds"),
    Setting(
        "settlement.transmission_e8yuan_kwh", 0, _TARIFF_MAX_E8YUAN_KWH, "输配电量电价", "T&D energy price", scoped=True
    ),
    Setting("settlement.demand_fen_kw", 0, 1_000_000, "需量电价", "demand price per month", scoped=True),
    Setting("settlement.capacity_fen_kva", 0, 1_000_000, "容量电价", "capacity price per month", scoped=True),
    Setting(
        "settlement.tou_k_ppm", 0, _PPM_MAX, "尖峰、高峰、平段、低谷浮动系数", "k of tip, peak, flat, valley", count=4
    ),
    Setting("settlement.season_code", 1, 3, "各月季别（1 春秋 2 夏 3 冬）", "season by month", count=12),
    Setting(
        "settlement.period_code", 1, 3, "各时段（1 高峰 2 平段 3 低谷）", "period by segment", count=24, scoped=True
    ),
    Setting("settlement.tip_segment", 0, 23, "尖峰时段", "segments of the tip window", count=0),
    Setting("settlement.tip_month", 1, 12, "全月执行尖峰的月份", "months with tip every day", count=0),
    Setting(
        "settlement.tip_hot_day", 19_700_101, 99_991_231, "日最高气温达 35 ℃ 的日期", "days of 35 C or more", count=0
    ),
    Setting("settlement.tip_exempt_region_code", 100_000, 999_999, "不执行尖峰的市州", "regions without tip", count=0),
)
