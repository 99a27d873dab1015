"""The refusals of certificates, in the order in which a certificate meets them."""

from shudian.kernel.outcomes import Refusal

PROJECT_NOT_FILED = Refusal(11001, "project_not_filed", "项目未建档立卡", "the project is not filed", 409, retry=True)
EARNS_NO_CERTIFICATES = Refusal(
    11002, "earns_no_certificates", "该资源不核发绿证", "the output of this resource earns no certificates"
)
MONTH_NOT_OVER = Refusal(11003, "month_not_over", "该月尚未结束", "the month is not over yet", 409, retry=True)
MONTH_IS_DONE = Refusal(11004, "month_is_done", "该月已核发", "the month was issued already", 409)
MONTH_OUT_OF_ORDER = Refusal(
    11005, "month_out_of_order", "须逐月办理，余量逐月结转", "months follow one another, as remainders are carried", 409
)
DEVICE_NOT_METERED = Refusal(
    11006, "device_not_metered", "该月无上网电表", "no meter of generation counted in that month", 409
)
ABOVE_CAPACITY = Refusal(
    11007, "above_capacity", "电量超过容量×时间", "the energy is more than capacity times time", 409, retry=True
)
CERTIFICATES_UNKNOWN = Refusal(
    11008, "certificates_unknown", "没有这些绿证，或号段不在同一批内", "there are no such certificates in one lot", 404
)
CERTIFICATES_OF_ANOTHER = Refusal(
    11009, "certificates_of_another", "绿证由其他成员持有", "another member holds the certificates", 403
)
CERTIFICATES_RETIRED = Refusal(11010, "certificates_retired", "绿证已核销", "the certificates are retired", 409)
CERTIFICATES_EXPIRED = Refusal(11011, "certificates_expired", "绿证已过有效期", "the certificates have expired", 410)
CERTIFICATES_LISTED = Refusal(
    11012, "certificates_listed", "绿证正在挂牌", "the certificates are listed for sale", 409, retry=True
)
CERTIFICATES_BUNDLED = Refusal(
    11013,
    "certificates_bundled",
    "绿证已捆绑绿电合同",
    "the certificates are bundled with a green agreement",
    409,
    retry=True,
)
NOT_TRADABLE = Refusal(11014, "not_tradable", "绿证不可交易", "the certificates cannot be traded")
TRANSFERRED_ALREADY = Refusal(
    11015, "transferred_already", "绿证仅可转让一次", "certificates can be transferred once, and these were", 409
)
LISTING_UNKNOWN = Refusal(11016, "listing_unknown", "没有这笔挂牌", "there is no such open listing", 404)
LISTING_OF_ANOTHER = Refusal(
    11017, "listing_of_another", "挂牌属于其他成员", "the listing belongs to another member", 403
)
LISTING_FOR_ANOTHER = Refusal(
    11018, "listing_for_another", "挂牌指定其他受让方", "the listing is for another buyer", 403
)
LISTING_IS_OWN = Refusal(11019, "listing_is_own", "不得与本方成交", "nobody trades with itself", 409)
LISTING_TOO_SMALL = Refusal(11020, "listing_too_small", "挂牌余量不足", "the listing has fewer certificates left", 409)
AGREEMENT_NOT_GREEN = Refusal(11021, "agreement_not_green", "不是绿电合同", "the agreement is not a green one")
STATEMENT_NOT_ISSUED = Refusal(
    11022, "statement_not_issued", "该月结算单未出具", "the month's statement is not issued yet", 409, retry=True
)
NOTHING_ISSUED = Refusal(
    11023,
    "nothing_issued",
    "卖方该月无可划转绿证，请先核发",
    "the seller has no certificates of that month that could be moved; issue them first",
    409,
    retry=True,
)
NOTHING_DUE = Refusal(11024, "nothing_due", "该月绿证已划转完毕", "all certificates of the month were moved", 409)

REFUSALS: tuple[Refusal, ...] = (
    PROJECT_NOT_FILED,
    EARNS_NO_CERTIFICATES,
    MONTH_NOT_OVER,
    MONTH_IS_DONE,
    MONTH_OUT_OF_ORDER,
    DEVICE_NOT_METERED,
    ABOVE_CAPACITY,
    CERTIFICATES_UNKNOWN,
    CERTIFICATES_OF_ANOTHER,
    CERTIFICATES_RETIRED,
    CERTIFICATES_EXPIRED,
    CERTIFICATES_LISTED,
    CERTIFICATES_BUNDLED,
    NOT_TRADABLE,
    TRANSFERRED_ALREADY,
    LISTING_UNKNOWN,
    LISTING_OF_ANOTHER,
    LISTING_FOR_ANOTHER,
    LISTING_IS_OWN,
    LISTING_TOO_SMALL,
    AGREEMENT_NOT_GREEN,
    STATEMENT_NOT_ISSUED,
    NOTHING_ISSUED,
    NOTHING_DUE,
)
