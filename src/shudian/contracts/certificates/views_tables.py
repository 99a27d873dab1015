"""The read tables of certificates: who holds what is the holder's and the overseers' to see; cards, open listings and retirements are not secret."""

from shudian.contracts.roles import OVERSIGHT
from shudian.reading.tables import MEMBERS, PUBLIC, ReadTable, blob, integer, parties, text

_DEVICE_MONTH = (integer("resource_id", "项目", "device"), integer("month", "电量生产月", "month of generation"))
_RANGE = (
    *_DEVICE_MONTH,
    integer("first_serial_no", "起始序号", "first serial"),
    integer("count_certs", "数量（个）", "certificates"),
)

PROJECTS = ReadTable(
    "certificates_projects",
    (
        integer("resource_id", "项目", "device"),
        integer("owner_id", "项目业主", "owner"),
        text("project_code", "项目代码", "project code"),
        integer("commissioning_day", "投产日", "commissioned"),
        integer("fully_in_market", "全部入市", "fully in the market"),
    ),
    ("resource_id",),
    PUBLIC,
    (("project_code",),),
)

ISSUANCES = ReadTable(
    "certificates_issuances",
    (
        *_DEVICE_MONTH,
        integer("owner_id", "项目业主", "owner"),
        text("project_code", "项目代码", "project code"),
        integer("tradable", "可交易", "tradable"),
        integer("count_certs", "核发数量（个）", "certificates issued"),
        integer("metered_wh", "上网电量（Wh）", "metered (Wh)"),
        integer("corrected_wh", "往月更正（Wh）", "corrections of earlier months (Wh)"),
        integer("carry_in_wh", "上月余量（Wh）", "carried in (Wh)"),
        integer("carry_out_wh", "结转余量（Wh）", "carried out (Wh)"),
        integer("valid_to_day", "有效期至", "valid to"),
        integer("issued_ms", "核发时间", "issued at"),
    ),
    ("resource_id", "month"),
    parties("owner_id", also=OVERSIGHT),
    (("owner_id", "month"), ("month",)),
)

LOTS = ReadTable(
    "certificates_lots",
    (
        *_RANGE,
        integer("holder_id", "持有人", "holder"),
        text("state", "状态", "state"),
        integer("tradable", "可交易", "tradable"),
        integer("transferred", "已转让", "transferred"),
        integer("valid_to_day", "有效期至", "valid to"),
        integer("listing_id", "挂牌", "listing"),
        integer("agreement_id", "绿电合同", "green agreement"),
        integer("retirement_id", "核销", "retirement"),
        text("first_code", "起始编码", "first code"),
        text("last_code", "终止编码", "last code"),
    ),
    ("resource_id", "month", "first_serial_no"),
    parties("holder_id", also=OVERSIGHT),
    (("holder_id", "month"),),
)

HOURS = ReadTable(
    "certificates_hours",
    (
        *_RANGE,
        integer("holder_id", "持有人", "holder"),
        integer("first_hour_no", "首个小时（自当月起）", "first hour of the month"),
        integer("before_wh", "月前结转电量（Wh）", "carried into the month (Wh)"),
        blob("hours_wh", "逐小时电量（Wh，64位小端）", "Wh by hour (little-endian 64 bit)"),
    ),
    ("resource_id", "month", "holder_id", "first_serial_no"),
    parties("holder_id", also=OVERSIGHT),
    (("holder_id", "month"),),
)

_OFFER = (
    integer("listing_id", "挂牌", "listing"),
    integer("seller_id", "转让方", "seller"),
    integer("buyer_id", "指定受让方", "named buyer"),
    *_RANGE,
    integer("price_fen", "价格 元/个", "price CNY each"),
    integer("valid_to_day", "有效期至", "valid to"),
)

LISTINGS = ReadTable("certificates_listings", _OFFER, ("listing_id",), MEMBERS)
OFFERS = ReadTable("certificates_offers", _OFFER, ("listing_id",), parties("seller_id", "buyer_id", also=OVERSIGHT))
"""Listings for one named buyer."""

TRANSFERS = ReadTable(
    "certificates_transfers",
    (
        integer("transfer_id", "划转", "transfer"),
        *_RANGE,
        integer("seller_id", "转让方", "seller"),
        integer("buyer_id", "受让方", "buyer"),
        integer("listing_id", "挂牌", "listing"),
        integer("agreement_id", "绿电合同", "green agreement"),
        integer("price_fen", "价格 元/个", "price CNY each"),
        integer("paid_fen", "金额 元", "paid CNY"),
        integer("transferred_ms", "划转时间", "transferred at"),
    ),
    ("transfer_id",),
    parties("seller_id", "buyer_id", also=OVERSIGHT),
    (("agreement_id", "month"),),
)

DELIVERIES = ReadTable(
    "certificates_deliveries",
    (
        integer("agreement_id", "绿电合同", "green agreement"),
        integer("month", "月份", "month"),
        integer("seller_id", "售方", "seller"),
        integer("buyer_id", "购方", "buyer"),
        integer("certified_kwh", "核定绿电量（kWh）", "certified (kWh)"),
        integer("carry_in_kwh", "上月余量（kWh）", "carried in (kWh)"),
        integer("due_certs", "应划转（个）", "certificates due"),
        integer("delivered_certs", "已划转（个）", "certificates delivered"),
        integer("carry_out_kwh", "结转余量（kWh）", "carried out (kWh)"),
    ),
    ("agreement_id", "month"),
    parties("seller_id", "buyer_id", also=OVERSIGHT),
)

RETIREMENTS = ReadTable(
    "certificates_retirements",
    (
        integer("retirement_id", "核销", "retirement"),
        *_RANGE,
        integer("holder_id", "持有人", "holder"),
        text("beneficiary", "受益人", "beneficiary"),
        text("purpose", "用途", "purpose"),
        integer("first_month", "用电期间起", "use from"),
        integer("last_month", "用电期间止", "use to"),
        text("first_code", "起始编码", "first code"),
        text("last_code", "终止编码", "last code"),
        integer("retired_ms", "核销时间", "retired at"),
    ),
    ("retirement_id",),
    PUBLIC,
    (("resource_id", "month"), ("holder_id",)),
)

TABLES = (PROJECTS, ISSUANCES, LOTS, HOURS, LISTINGS, OFFERS, TRANSFERS, DELIVERIES, RETIREMENTS)
