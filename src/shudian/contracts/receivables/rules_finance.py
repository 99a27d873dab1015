"""Financing in competition: a holder asks, banks quote, the holder picks; money against title in one act (券款对付, DvP)."""

from msgspec.structs import replace

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Transfer
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.receivables.messages import Debt, Receivable, State
from shudian.contracts.receivables.messages_events import (
    FinanceEnded,
    FinanceQuoted,
    FinanceRequested,
    ReceivableFinanced,
)
from shudian.contracts.receivables.messages_finance import (
    ChooseQuote,
    FinanceReply,
    FinanceRequest,
    Quote,
    QuoteFinance,
    QuoteReply,
    RequestFinance,
    RequestReply,
    RequestState,
    WithdrawFinance,
)
from shudian.contracts.receivables.messages_refusals import (
    EXPIRY_NOT_ALLOWED,
    FEE_OVER_MAXIMUM,
    NET_TOO_LOW,
    NOT_THE_HOLDER,
    QUOTE_IS_OVER,
    QUOTE_UNKNOWN,
    RATE_OVER_MAXIMUM,
    REQUEST_IS_CLOSED,
    REQUEST_UNKNOWN,
)
from shudian.contracts.receivables.rules_claims import register, require_registry
from shudian.contracts.receivables.rules_debts import also_of, deed_of, movable, parties_of
from shudian.contracts.receivables.state import DEBTS, QUOTES, RECEIVABLES, REQUESTS
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.ids import derived_id
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, next_id
from shudian.kernel.units import PPM, round_half_away, share

FINANCE_CODE = 1_201
"""Transfer code of the price that a bank pays for a receivable."""


def interest_fen(amount_fen: int, rate_ppm: int, discount_day_count: int, day_count: int) -> int:
    """Simple discount interest, half away from zero: amount x yearly rate x days / days of the bank's year.

    >>> interest_fen(30_000_000, 36_000, 90, 360), interest_fen(30_000_000, 36_000, 90, 365)
    (270000, 266301)
    """
    return round_half_away(amount_fen * rate_ppm * discount_day_count, PPM * day_count)


def cost_ppm(amount_fen: int, net_fen: int, discount_day_count: int, day_count: int) -> int:
    """All that a sale costs as a simple yearly rate on what the seller gets (综合融资成本), half away from zero.

    >>> cost_ppm(30_000_000, 29_730_000, 90, 360)
    36327
    """
    return round_half_away((amount_fen - net_fen) * PPM * day_count, net_fen * discount_day_count)


def request_finance(ctx: Context, message: RequestFinance) -> RequestReply:
    """Lock a part and ask for quotes. Refuses: 2003, 12001, 12005, 12019-12021, 12027. Emits: FinanceRequested."""
    row, owed = movable(ctx, message.receivable_id)
    today = clock.day_of(ctx.market_ms)
    longest_ms = ctx.market_ms + governance.setting(ctx, "receivables.quoting_max_ms", today)
    latest_ms = min(longest_ms, clock.ms_at(owed.due_day))
    if not ctx.market_ms < message.expires_ms <= latest_ms:
        raise EXPIRY_NOT_ALLOWED("expires_ms", message.expires_ms, f"{ctx.market_ms + 1}..{latest_ms}")
    # no refusal below this line
    request_id = next_id(ctx, "receivables.request")
    request = FinanceRequest(message.receivable_id, ctx.sender_id, message.expires_ms)
    REQUESTS.put(ctx, (request_id,), request)
    RECEIVABLES.put(ctx, (message.receivable_id,), replace(row, state=State.OFFERED, request_id=request_id))
    ctx.emit(
        FinanceRequested(
            deed=deed_of(message.receivable_id),
            parties=(ctx.sender_id,),
            also=also_of(message.receivable_id, row),
            request_id=request_id,
            request=request,
            debtor_id=owed.debtor_id,
            amount_fen=row.amount_fen,
            due_day=owed.due_day,
            contract_no=owed.contract_no,
            invoice_codes=owed.invoice_codes,
            evidence=owed.evidence,
        )
    )
    return RequestReply(request_id)


def _open_request(ctx: BlockContext, request_id: int) -> FinanceRequest:
    """Refuses: 12023, 12024."""
    request = REQUESTS.get(ctx, request_id)
    if request is None:
        raise REQUEST_UNKNOWN("request_id", request_id)
    if request.state is not RequestState.OPEN:
        raise REQUEST_IS_CLOSED("request_id", f"{request_id} {request.state}", RequestState.OPEN)
    if request.expires_ms <= ctx.market_ms:
        raise REQUEST_IS_CLOSED(
            "request_id", request_id, both(f"早于 {request.expires_ms}", f"before {request.expires_ms}")
        )
    return request


def _offered(at: HasStore, request: FinanceRequest) -> tuple[Receivable, Debt]:
    """The part that an open request has locked, and its debt."""
    row = RECEIVABLES.need(at, request.receivable_id)
    return row, DEBTS.need(at, row.root_id)


def _price(ctx: BlockContext, row: Receivable, owed: Debt, quote: Quote) -> tuple[int, int, int]:
    """(days, interest, net) of a quote if it is chosen today; days run to the due day, also where that is a holiday."""
    discount_day_count = clock.days_between(clock.day_of(ctx.market_ms), owed.due_day)
    interest = interest_fen(row.amount_fen, quote.rate_ppm, discount_day_count, quote.day_count)
    return discount_day_count, interest, row.amount_fen - interest - quote.fee_fen


def quote_finance(ctx: Context, message: QuoteFinance) -> QuoteReply:
    """Quote. Refuses: 2003, 4001, 12023, 12024, 12027-12030. Emits: FinanceQuoted."""
    request = _open_request(ctx, message.request_id)
    row, owed = _offered(ctx, request)
    _check_limits(ctx, message, request, row.amount_fen)
    quote = Quote(
        message.request_id,
        ctx.sender_id,
        message.rate_ppm,
        message.day_count,
        message.fee_fen,
        message.recourse,
        message.expires_ms,
    )
    discount_day_count, interest, net_fen = _price(ctx, row, owed, quote)
    if net_fen <= 0:
        raise NET_TOO_LOW(
            "fee_fen", message.fee_fen, both(f"实得金额 > 0；现为 {net_fen}", f"a net amount > 0; it is {net_fen}")
        )
    funds.account_of(ctx, ctx.sender_id)
    # no refusal below this line
    replaces_id = 0
    for key, older in list(QUOTES.find(ctx, "standing", message.request_id, ctx.sender_id)):
        replaces_id = int(key[0])
        QUOTES.put(ctx, key, replace(older, replaced=True))
    quote_id = next_id(ctx, "receivables.quote")
    QUOTES.put(ctx, (quote_id,), quote)
    ctx.emit(
        FinanceQuoted(
            deed=deed_of(request.receivable_id),
            parties=(request.holder_id, ctx.sender_id),
            also=also_of(request.receivable_id, row),
            quote_id=quote_id,
            quote=quote,
            holder_id=request.holder_id,
            receivable_id=request.receivable_id,
            discount_day_count=discount_day_count,
            interest_fen=interest,
            net_fen=net_fen,
            cost_ppm=cost_ppm(row.amount_fen, net_fen, discount_day_count, quote.day_count),
            replaces_id=replaces_id,
        )
    )
    return QuoteReply(quote_id, interest, net_fen)


def _check_limits(ctx: Context, message: QuoteFinance, request: FinanceRequest, amount_fen: int) -> None:
    """Refuses: 2003, 12027-12029."""
    today = clock.day_of(ctx.market_ms)
    if not ctx.market_ms < message.expires_ms <= request.expires_ms:
        raise EXPIRY_NOT_ALLOWED("expires_ms", message.expires_ms, f"{ctx.market_ms + 1}..{request.expires_ms}")
    rate_max_ppm = governance.setting(ctx, "receivables.rate_max_ppm", today)
    if message.rate_ppm > rate_max_ppm:
        raise RATE_OVER_MAXIMUM("rate_ppm", message.rate_ppm, f"<= {rate_max_ppm}")
    fee_max_fen = share(amount_fen, governance.setting(ctx, "receivables.fee_max_ppm", today))
    if message.fee_fen > fee_max_fen:
        raise FEE_OVER_MAXIMUM("fee_fen", message.fee_fen, f"<= {fee_max_fen}")


def choose_quote(ctx: Context, message: ChooseQuote) -> FinanceReply:
    """Sell to the bank of a quote. Refuses: 2003, 3001-3003, 4001-4003, 12005, 12023-12026, 12030-12032. Emits: ReceivableFinanced."""
    quote = QUOTES.get(ctx, message.quote_id)
    if quote is None:
        raise QUOTE_UNKNOWN("quote_id", message.quote_id)
    request = _own_request(ctx, quote.request_id)
    if quote.replaced or quote.expires_ms <= ctx.market_ms:
        raise QUOTE_IS_OVER(
            "quote_id",
            message.quote_id,
            both(f"该银行最新报价，早于 {quote.expires_ms}", f"the bank's newest, before {quote.expires_ms}"),
        )
    row, owed = _offered(ctx, request)
    discount_day_count, interest, net_fen = _price(ctx, row, owed, quote)
    if net_fen < message.net_min_fen:
        raise NET_TOO_LOW("net_min_fen", message.net_min_fen, f"<= {net_fen}")
    require_registry(ctx, message.registration_no, message.searched_ms)
    identity.require_good(ctx, quote.bank_id)
    price = Transfer(
        derived_id("receivables.finance", str(quote.request_id)),
        funds.account_of(ctx, quote.bank_id),
        funds.account_of(ctx, ctx.sender_id),
        net_fen,
        FINANCE_CODE,
        deed_of(request.receivable_id),
    )
    funds.transfer(ctx, (price,))
    # no refusal below this line
    register(ctx, request.receivable_id, message.registration_no)
    REQUESTS.put(ctx, (quote.request_id,), replace(request, state=RequestState.CHOSEN))
    sold = replace(
        row,
        holder_id=quote.bank_id,
        tier_no=row.tier_no + 1,
        state=State.FINANCED,
        request_id=0,
        seller_id=ctx.sender_id,
        recourse=quote.recourse,
        registration_no=message.registration_no,
    )
    RECEIVABLES.put(ctx, (request.receivable_id,), sold)
    ctx.emit(
        ReceivableFinanced(
            deed=deed_of(request.receivable_id),
            parties=parties_of(ctx.sender_id, quote.bank_id, owed.debtor_id),
            also=also_of(request.receivable_id, row),
            receivable_id=request.receivable_id,
            request_id=quote.request_id,
            quote_id=message.quote_id,
            seller_id=ctx.sender_id,
            bank_id=quote.bank_id,
            debtor_id=owed.debtor_id,
            tier_no=sold.tier_no,
            amount_fen=row.amount_fen,
            rate_ppm=quote.rate_ppm,
            day_count=quote.day_count,
            discount_day_count=discount_day_count,
            interest_fen=interest,
            fee_fen=quote.fee_fen,
            net_fen=net_fen,
            recourse=quote.recourse,
            registration_no=message.registration_no,
            searched_ms=message.searched_ms,
            search_evidence=message.search_evidence,
        )
    )
    return FinanceReply(discount_day_count, interest, quote.fee_fen, net_fen)


def _own_request(ctx: Context, request_id: int) -> FinanceRequest:
    """Refuses: 12005, 12023, 12024."""
    request = _open_request(ctx, request_id)
    if request.holder_id != ctx.sender_id:
        raise NOT_THE_HOLDER("request_id", request_id, both("发送方的询价", "a request of the sender"))
    return request


def withdraw_finance(ctx: Context, message: WithdrawFinance) -> None:
    """End an own request. Refuses: 12005, 12023, 12024. Emits: FinanceEnded."""
    request = _own_request(ctx, message.request_id)
    # no refusal below this line
    _end(ctx, message.request_id, request, RequestState.WITHDRAWN)


def expire_requests(ctx: BlockContext) -> None:
    """Block hook: end every request whose time has come, at the latest as its due day begins. Emits: FinanceEnded."""
    for key, request in REQUESTS.due(ctx, "by_expiry", ctx.market_ms):
        _end(ctx, int(key[0]), request, RequestState.EXPIRED)


def _end(ctx: BlockContext, request_id: int, request: FinanceRequest, state: RequestState) -> None:
    row = RECEIVABLES.need(ctx, request.receivable_id)
    REQUESTS.put(ctx, (request_id,), replace(request, state=state))
    RECEIVABLES.put(ctx, (request.receivable_id,), replace(row, state=State.HELD, request_id=0))
    ctx.emit(
        FinanceEnded(
            deed=deed_of(request.receivable_id),
            parties=(request.holder_id,),
            also=also_of(request.receivable_id, row),
            request_id=request_id,
            receivable_id=request.receivable_id,
            state=state,
        )
    )
