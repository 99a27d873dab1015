"""What the story says after a step: a sentence in Chinese and English from what the ledger shows to everybody."""

from shudian.contracts.agreements.messages import Method
from shudian.contracts.settlement.messages import LineState
from shudian.contracts.trading.messages import Product
from shudian.kernel import clock
from shudian.kernel.units import PRICE_KWH_PER_FEN, round_half_away
from shudian.tools.demo.markets import monthly_session, session_of
from shudian.tools.demo.stage import EXCHANGE, Stage

KWH_PER_MWH = 1_000
FEN_PER_YUAN = 100

Told = tuple[str, str]


def _mwh(energy_kwh: int) -> str:
    return f"{round_half_away(energy_kwh, KWH_PER_MWH):,} MWh"


def _price(price_myuan_mwh: int) -> str:
    return f"{round_half_away(price_myuan_mwh, 10) / 100:.2f}"


def _yuan(amount_fen: int) -> str:
    return f"{round_half_away(amount_fen, FEN_PER_YUAN):,}"


def members(stage: Stage) -> Told:
    """Who is a member now, and who was turned down."""
    rows = stage.query(EXCHANGE, "identity.members")
    active = sum(row["standing"] == "active" for row in rows)
    rejected = sum(row["standing"] == "rejected" for row in rows)
    return (
        f"公示期满：{active} 家成员生效，{rejected} 家未通过",
        f"the notice has ended: {active} members in effect, {rejected} turned down",
    )


def resources(stage: Stage) -> Told:
    """What was listed."""
    fleet = stage.query(EXCHANGE, "resources.fleet")
    plants = sum(row["resource_count"] for row in fleet if row["type"] == "plant")
    capacity_mw = sum(row["capacity_kw"] for row in fleet if row["type"] == "plant") // KWH_PER_MWH
    loads = sum(row["resource_count"] for row in fleet if row["type"] == "load")
    return (
        f"资源生效：{plants} 座电厂共 {capacity_mw:,} MW，{loads} 处用电",
        f"resources in effect: {plants} plants of {capacity_mw:,} MW, {loads} loads",
    )


def monthly(stage: Stage) -> Told:
    """How the month's auction cleared."""
    rows = stage.query(EXCHANGE, "trading.cleared", session_id=monthly_session(stage, 0))
    prices = [row["price_myuan_mwh"] for row in rows if row["price_myuan_mwh"] is not None]
    volume_kwh = sum(row["volume_kwh"] for row in rows)
    low, high = _price(min(prices)), _price(max(prices))
    return (
        f"月度集中竞价出清：24 时段共 {_mwh(volume_kwh)}，价格 {low}–{high} 元/MWh",
        f"the monthly auction cleared: {_mwh(volume_kwh)} in 24 segments at {low}–{high} CNY/MWh",
    )


def rolling(delivery_day: int, stage: Stage) -> Told:
    """How a rolling session ended."""
    session_id = session_of(stage, Method.ROLLING, delivery_day, Product.DAILY)
    rows = stage.query(EXCHANGE, "trading.candles", session_id=session_id)
    volume_kwh, turnover_fen = sum(row["volume_kwh"] for row in rows), sum(row["turnover_fen"] for row in rows)
    trades = sum(row["trades_count"] for row in rows)
    average = _price(round_half_away(turnover_fen * PRICE_KWH_PER_FEN, volume_kwh)) if volume_kwh else "–"
    month, day = divmod(delivery_day % 10_000, 100)
    return (
        f"日滚动（交割 {month}-{day:02d}）：{trades} 笔，{_mwh(volume_kwh)}，均价 {average} 元/MWh",
        f"rolling for {month}-{day:02d}: {trades} trades, {_mwh(volume_kwh)}, average {average} CNY/MWh",
    )


def cleared(day: int, stage: Stage) -> Told:
    """What a cleared day looked like."""
    rows = [row for row in stage.query(EXCHANGE, "settlement.market_days") if row["day"] == day]
    row = rows[0]
    month, date = divmod(day % 10_000, 100)
    return (
        f"日清 {month}-{date:02d}：发电 {_mwh(row['generation_kwh'])}，用电 {_mwh(row['load_kwh'])}，合同 {_mwh(row['contract_kwh'])}",
        f"cleared {month}-{date:02d}: generated {_mwh(row['generation_kwh'])}, used {_mwh(row['load_kwh'])}, contracts {_mwh(row['contract_kwh'])}",
    )


def _statements(stage: Stage) -> list[dict[str, int]]:
    month = clock.month_of(stage.world.first_day)
    rows: list[dict[str, int]] = stage.query(EXCHANGE, "settlement.statements", month=month)
    return rows


def issued(stage: Stage) -> Told:
    """How many statements there are, and of how much."""
    rows = _statements(stage)
    payable = _yuan(sum(row["payable_fen"] for row in rows))
    return (f"结算单 {len(rows)} 张，应付合计 {payable} 元", f"{len(rows)} statements, {payable} CNY payable in all")


def paid(stage: Stage) -> Told:
    """What is paid and what is still open."""
    rows = _statements(stage)
    done, due = sum(row["paid_fen"] for row in rows), sum(row["payable_fen"] for row in rows)
    lines = stage.query(EXCHANGE, "settlement.lines", state=LineState.CONVERTED)
    converted = sum(row["amount_fen"] for row in lines)
    left = due - done - converted
    return (
        f"券款对付：已付 {_yuan(done)} 元，转为应收账款 {_yuan(converted)} 元，未付 {_yuan(left)} 元",
        f"delivery versus payment: {_yuan(done)} CNY paid, {_yuan(converted)} CNY became receivables, {_yuan(left)} CNY open",
    )


def deals(stage: Stage) -> Told:
    """How many agreements came about by talking, listing and transfer."""
    rows = stage.query(EXCHANGE, "agreements.agreements")
    count = {method: sum(row["method"] == method for row in rows) for method in Method}
    return (
        f"双边协商 {count[Method.BILATERAL]} 份、挂牌 {count[Method.LISTING]} 份、转让 {count[Method.TRANSFER]} 份",
        f"{count[Method.BILATERAL]} bilateral agreements, {count[Method.LISTING]} by listing, {count[Method.TRANSFER]} by transfer",
    )


def certificates(stage: Stage) -> Told:
    """What was issued and retired."""
    lots = stage.query(EXCHANGE, "certificates.lots")
    issued = sum(row["count_certs"] for row in lots)
    retired = sum(row["count_certs"] for row in lots if row["state"] == "retired")
    tradable = sum(row["count_certs"] for row in lots if row["tradable"])
    return (
        f"绿证：核发 {issued:,} 个（可交易 {tradable:,} 个），核销 {retired:,} 个",
        f"certificates: {issued:,} issued ({tradable:,} tradable), {retired:,} retired",
    )


def financed(stage: Stage) -> Told:
    """What banks bought."""
    months = stage.query(EXCHANGE, "receivables.receivables_months")
    count, face = sum(row["financed_count"] for row in months), sum(row["financed_fen"] for row in months)
    return (
        f"竞争融资：{count} 笔，票面 {_yuan(face)} 元",
        f"financed in competition: {count} receivables, face {_yuan(face)} CNY",
    )


def redeemed(stage: Stage) -> Told:
    """What was paid at maturity."""
    rows = stage.query(EXCHANGE, "receivables.debts", state="redeemed")
    return (
        f"凭证到期兑付：{len(rows)} 笔，{_yuan(sum(row['amount_fen'] for row in rows))} 元",
        f"redeemed at maturity: {len(rows)} receivables, {_yuan(sum(row['amount_fen'] for row in rows))} CNY",
    )


def guarantees(stage: Stage) -> Told:
    """What retailers brought as security."""
    rows = stage.query(EXCHANGE, "guarantees.exposure_lines")
    bound = [row for row in rows if row["required_fen"]]
    required, available = (sum(row[name] for row in bound) for name in ("required_fen", "available_fen"))
    return (
        f"履约保函：{len(bound)} 家售电公司，应缴 {_yuan(required)} 元，可用 {_yuan(available)} 元",
        f"guarantees: {len(bound)} retailers, {_yuan(required)} CNY required, {_yuan(available)} CNY available",
    )
