"""The words of settlement: names of lines and groups, and explanations of amounts, in Chinese and English."""

from decimal import Decimal

from shudian.contracts.settlement.messages_facts import Formula, LineExplanation, LineKind, Period
from shudian.contracts.settlement.rules_formulas import amount_fen
from shudian.kernel.outcomes import Language

KINDS = {
    LineKind.ENERGY: ("合同电能量", "Contract energy"),
    LineKind.DAY_AHEAD: ("日前偏差", "Day-ahead deviation"),
    LineKind.DEVIATION: ("实时偏差", "Real-time deviation"),
    LineKind.OVER_USE: ("超用电量", "Use beyond the band"),
    LineKind.ASSESSMENT: ("少用考核", "Assessment of energy short"),
    LineKind.RECOVERY: ("偏差回收费", "Deviation recovery"),
    LineKind.RECOVERY_RETURN: ("偏差回收返还", "Deviation recovery returned"),
    LineKind.ENVIRONMENTAL: ("绿电环境价值", "Environmental value"),
    LineKind.COMPENSATION: ("绿电偏差补偿", "Compensation for green volume not generated"),
    LineKind.LOSS: ("上网环节线损费用", "Upstream loss"),
    LineKind.TRANSMISSION: ("输配电量电费", "Transmission and distribution"),
    LineKind.SYSTEM: ("系统运行费", "System operation"),
    LineKind.LEVY: ("政府性基金及附加", "Government funds and surcharges"),
    LineKind.DEMAND: ("需量电费", "Demand charge"),
}

GROUPS = (
    ("energy", "电能量电费", "Energy", (LineKind.ENERGY, LineKind.DAY_AHEAD, LineKind.DEVIATION)),
    ("green", "绿电环境价值", "Green value", (LineKind.ENVIRONMENTAL, LineKind.COMPENSATION)),
    (
        "deviation",
        "资金余缺费用",
        "Deviation charges and returns",
        (LineKind.OVER_USE, LineKind.ASSESSMENT, LineKind.RECOVERY, LineKind.RECOVERY_RETURN),
    ),
    (
        "grid",
        "电网环节费用",
        "Grid fees",
        (LineKind.LOSS, LineKind.TRANSMISSION, LineKind.SYSTEM, LineKind.LEVY, LineKind.DEMAND),
    ),
)
"""Groups of the monthly statement (domain 9.2, 9.3)."""

BILL = (
    (
        "energy",
        "市场化购电费",
        "Market energy",
        (LineKind.ENERGY, LineKind.DAY_AHEAD, LineKind.DEVIATION, LineKind.OVER_USE, LineKind.ASSESSMENT),
    ),
    ("green", "绿电环境价值", "Green value", (LineKind.ENVIRONMENTAL, LineKind.COMPENSATION)),
    ("recovery", "偏差回收及返还", "Deviation recovery and return", (LineKind.RECOVERY, LineKind.RECOVERY_RETURN)),
    ("loss", "上网环节线损费用", "Upstream loss", (LineKind.LOSS,)),
    ("transmission", "输配电量电费", "Transmission and distribution", (LineKind.TRANSMISSION,)),
    ("demand", "容（需）量电费", "Capacity or demand charge", (LineKind.DEMAND,)),
    ("system", "系统运行费", "System operation", (LineKind.SYSTEM,)),
    ("catalogue", "目录电费", "Catalogue tariff", ()),
    ("levy", "政府性基金及附加", "Government funds and surcharges", (LineKind.LEVY,)),
    ("power_factor", "功率因数调整", "Power-factor adjustment", ()),
)
"""Fee rows of the user's bill in their fixed order (domain 9.3)."""

BILL_PARTS = {
    "system": (
        "system_part_e8yuan_kwh",
        (
            ("煤电容量电费", "Coal capacity"),
            ("抽蓄容量电费", "Pumped-storage capacity"),
            ("燃机容量电费", "Gas-turbine capacity"),
            ("新能源机制差价分摊", "Mechanism price difference of renewables"),
            ("交叉补贴新增损益", "Cross-subsidy balance"),
            ("辅助服务费用", "Ancillary services"),
            ("线损代理采购损益", "Loss-purchase balance"),
            ("其他", "Other"),
        ),
    ),
    "levy": (
        "levy_part_e8yuan_kwh",
        (
            ("农网还贷资金", "Rural grid loan repayment"),
            ("可再生能源电价附加", "Renewable energy surcharge"),
            ("国家重大水利工程建设基金", "National water projects fund"),
            ("大中型水库移民后期扶持资金", "Reservoir resettlement fund"),
            ("地方小型水库移民扶助", "Small reservoirs, local"),
        ),
    ),
}
"""What a category is made of on the bill, by the dated setting that its amount is shown by."""

PERIODS = {
    Period.TIP: ("尖峰电量", "Tip energy"),
    Period.PEAK: ("高峰电量", "Peak energy"),
    Period.FLAT: ("平段电量", "Flat energy"),
    Period.VALLEY: ("低谷电量", "Valley energy"),
}

_TEXTS = {
    Formula.SUM_OF_DAYS: (
        "自 {first_day} 起逐日清算金额之和（每行每日四舍五入到分）= {amount}",
        "sum of the daily amounts from {first_day} on, each rounded to the fen = {amount}",
    ),
    Formula.GREEN_HOURS: (
        "自 {first_day} 起逐小时三者取小之日和 × {environmental_myuan_mwh} = {amount}",
        "smallest of contract, generation and use by hour, daily sums from {first_day} on, x {environmental_myuan_mwh} = {amount}",
    ),
    Formula.GREEN_MONTH: (
        "min（合同 {contract_kwh}，发电 {generated_kwh}，用电 {used_kwh}）× {environmental_myuan_mwh} = {amount}",
        "min(contract {contract_kwh}, generation {generated_kwh}, use {used_kwh}) x {environmental_myuan_mwh} = {amount}",
    ),
    Formula.GREEN_SHORT: (
        "（合同 {contract_kwh} − 发电 {generated_kwh}）× {compensation_myuan_mwh} = {amount}",
        "(contract {contract_kwh} - generation {generated_kwh}) x {compensation_myuan_mwh} = {amount}",
    ),
    Formula.F4_CONTRACT: (
        "{settled_kwh} × 合同加权价（{contract_fen} ÷ {contract_kwh}）= {amount}",
        "{settled_kwh} x weighted contract price ({contract_fen} / {contract_kwh}) = {amount}",
    ),
    Formula.F4_OVER: (
        "{over_kwh} × max（上调价 {up_myuan_mwh}，最高增发价 {increment_top_myuan_mwh}）= {amount}",
        "{over_kwh} x max(up-regulation {up_myuan_mwh}, top increment {increment_top_myuan_mwh}) = {amount}",
    ),
    Formula.F4_SHORT: (
        "{short_kwh} × {assessment_ppm} ×（合同加权价 {contract_fen} ÷ {contract_kwh} + 输配电价 {transmission_e8yuan_kwh}）= {amount}",
        "{short_kwh} x {assessment_ppm} x (weighted contract price {contract_fen} / {contract_kwh} + T&D {transmission_e8yuan_kwh}) = {amount}",
    ),
    Formula.TARIFF: ("{energy_kwh} × {tariff_e8yuan_kwh} = {amount}", "{energy_kwh} x {tariff_e8yuan_kwh} = {amount}"),
    Formula.DEMAND: (
        "{contract_demand_kw} × {demand_fen_kw} = {amount}",
        "{contract_demand_kw} x {demand_fen_kw} = {amount}",
    ),
    Formula.CORRECTED: (
        "异议成立：更正第 {corrects_line_id} 行，{before_fen} 改为 {corrected_to_fen}",
        "objection upheld: corrects line {corrects_line_id}, from {before_fen} to {corrected_to_fen}",
    ),
}

# Unit suffix, longest first -> how many decimal places to move, how many to show, unit in Chinese and English.
_UNITS = (
    ("_e8yuan_kwh", 8, 8, "元/kWh", "yuan/kWh"),
    ("_myuan_mwh", 3, 3, "元/MWh", "yuan/MWh"),
    ("_fen_kw", 2, 2, "元/kW", "yuan/kW"),
    ("_fen", 2, 2, "元", "yuan"),
    ("_ppm", 4, 2, "%", "%"),
    ("_kwh", 0, 0, "kWh", "kWh"),
    ("_kw", 0, 0, "kW", "kW"),
)


def shown(name: str, number: int, language: Language) -> str:
    """A number in the unit that its name ends with, for people.

    >>> shown("tariff_e8yuan_kwh", 6_440_000, "en"), shown("amount_fen", 59_892_000, "zh")
    ('0.06440000 yuan/kWh', '598,920.00 元')
    """
    for suffix, moved, places, zh, en in _UNITS:
        if name.endswith(suffix):
            return f"{Decimal(number).scaleb(-moved):,.{places}f} {zh if language == 'zh' else en}"
    return str(number)


def text_of(explanation: LineExplanation, language: Language) -> str:
    """How an amount came about, in one line.

    >>> from shudian.contracts.settlement.rules_formulas import explain
    >>> text_of(explain(Formula.TARIFF, (9_300_000, 6_440_000)), "en")
    '9,300,000 kWh x 0.06440000 yuan/kWh = 598,920.00 yuan'
    """
    facts = {
        name: shown(name, number, language) for name, number in zip(explanation.names, explanation.values, strict=False)
    }
    zh = language == "zh"
    template = _TEXTS[explanation.formula][0 if zh else 1]
    whole_fen, billed_fen = amount_fen(explanation) + explanation.billed_fen, explanation.billed_fen
    sentence = template.format(amount=shown("amount_fen", whole_fen, language), **facts)
    if not billed_fen:
        return sentence
    billed, left = (shown("amount_fen", number, language) for number in (billed_fen, whole_fen - billed_fen))
    return sentence + (f"；减前已结算 {billed} = {left}" if zh else f"; less {billed} billed before = {left}")
