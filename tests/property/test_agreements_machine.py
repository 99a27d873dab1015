"""Agreements under transfers in whatever order: children + open = parent, no day negative, positions and collateral conserved."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Line, Method, Terms
from shudian.contracts.funds import rules as funds
from shudian.contracts.guarantees import rules as guarantees
from shudian.contracts.trading.messages_transfers import ProposeTransfer, SignTransfer
from shudian.contracts.trading.rules import release_collateral
from shudian.contracts.trading.rules_collateral import reserve_for_agreement
from shudian.contracts.trading.rules_exposure import open_fen, take_on
from shudian.kernel import clock
from shudian.kernel.outcomes import Refused
from tests.unit.test_trading import OPENING_FEN, A, B, C, D, Trading, X, Y, Z

FIRST, LAST = 20260703, 20260712
SELLING, BUYING = (A, B, C, D), (X, Y, Z)
LINES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 200), st.sampled_from([0, 199_999, 210_000])),
    min_size=1,
    max_size=4,
    unique_by=lambda line: (line[0], line[2]),
)


class AgreementsMachine(RuleBasedStateMachine):
    """Small quantities over ten days, so that most days hold a few kWh and every rounding shows."""

    def __init__(self) -> None:
        super().__init__()
        self.market = Trading(position_limit_ppm=100_000_000)
        self.children: dict[int, list[int]] = {}
        self.reserved_fen: dict[int, int] = {}
        self.paid_fen = dict.fromkeys((*SELLING, *BUYING), 0)

    @property
    def today(self) -> int:
        return clock.day_of(self.market.now_ms)

    @precondition(lambda self: self.today < FIRST)
    @rule(seller=st.sampled_from(SELLING), buyer=st.sampled_from(BUYING), lines=LINES, fen=st.integers(0, 1_000))
    def bear(self, seller: int, buyer: int, lines: list[tuple[int, int, int]], fen: int) -> None:
        ordered = sorted((Line(*line) for line in lines), key=lambda line: (line.segment, line.price_myuan_mwh))
        terms = Terms(2, seller, buyer, Method.BILATERAL, 0, "monthly", FIRST, LAST, "SC", tuple(ordered))
        context = self.market.context()
        agreement_id = agreements.bear(context, terms)
        take_on(context, agreement_id)
        for member_id in (seller, buyer):
            reserve_for_agreement(context, member_id, agreement_id, fen)
        self.children[agreement_id] = []
        self.reserved_fen[seller] = self.reserved_fen.get(seller, 0) + fen
        self.reserved_fen[buyer] = self.reserved_fen.get(buyer, 0) + fen
        self.market.apply()

    @precondition(lambda self: self.children and self.today < LAST)
    @rule(data=st.data())
    def transfer(self, data: st.DataObject) -> None:
        parent_id = data.draw(st.sampled_from(sorted(self.children)), label="parent")
        bound = agreements.terms(self.market.store, parent_id)
        from_id = data.draw(st.sampled_from([bound.seller_id, bound.buyer_id]), label="from")
        others = [member_id for member_id in (SELLING if from_id in SELLING else BUYING) if member_id != from_id]
        to_id = data.draw(st.sampled_from(others), label="to")
        first_day = data.draw(st.sampled_from(list(clock.days(FIRST, LAST))), label="first day")
        try:
            most_kwh = agreements.movable_kwh(self.market.context(), parent_id, first_day)
        except Refused:
            most_kwh = (-1,) * len(bound.lines)
        edges = [st.one_of(st.integers(0, 40), st.sampled_from([max(kwh, 0), kwh + 1])) for kwh in most_kwh]
        quantities_kwh = tuple(data.draw(st.tuples(*edges), label="kWh"))
        price = data.draw(st.sampled_from([0, 200_000, 481_440]), label="price")
        expires_ms = min(clock.ms_at(first_day), clock.ms_at(LAST))
        message = ProposeTransfer(parent_id, to_id, first_day, quantities_kwh, price, expires_ms)
        fits = any(quantities_kwh) and all(map(int.__le__, quantities_kwh, most_kwh))
        outcome = self.market.say(from_id, message)
        assert outcome.done is fits, outcome
        if not fits:
            return
        reply: Any = self.market.machine.reply_of(outcome)
        before_fen = sum(self.market.reserved(to_id).values())
        child_id = self.market.done(
            to_id, SignTransfer(reply.transfer_id, reply.terms_hash, reply.value_fen)
        ).agreement_id
        self.children[parent_id].append(child_id)
        self.children[child_id] = []
        moved_fen = sum(self.market.reserved(to_id).values()) - before_fen
        self.reserved_fen[to_id] = self.reserved_fen.get(to_id, 0) + moved_fen
        self.reserved_fen[from_id] -= moved_fen
        self.paid_fen[to_id] -= reply.difference_fen
        self.paid_fen[from_id] += reply.difference_fen

    @rule(days_count=st.integers(1, 4))
    def let_days_pass(self, days_count: int) -> None:
        self.market.advance(self.market.now_ms + days_count * clock.DAY_MS)

    @invariant()
    def children_and_open_are_the_parent(self) -> None:
        store = self.market.store
        for parent_id, child_ids in self.children.items():
            bound = agreements.terms(store, parent_id)
            left_kwh = dict(
                zip(
                    ((line.segment, line.price_myuan_mwh) for line in bound.lines),
                    agreements.open_kwh(store, parent_id),
                    strict=True,
                )
            )
            assert min(left_kwh.values()) >= 0
            for child_id in child_ids:
                for line in agreements.terms(store, child_id).lines:
                    left_kwh[line.segment, line.price_myuan_mwh] += line.quantity_kwh
            assert list(left_kwh.values()) == [line.quantity_kwh for line in bound.lines]

    @invariant()
    def days_sum_to_what_is_open_and_to_the_positions(self) -> None:
        store = self.market.store
        for day in clock.days(FIRST, LAST):
            sold_kwh = dict.fromkeys(SELLING, 0)
            bought_kwh = dict.fromkeys(BUYING, 0)
            for agreement_id in self.children:
                row = agreements.agreement(store, agreement_id)
                lines_kwh = agreements.day_lines_kwh(store, agreement_id, day)
                assert min(lines_kwh) >= 0
                sold_kwh[row.seller_id] += sum(lines_kwh)
                bought_kwh[row.buyer_id] += sum(lines_kwh)
            for member_id in SELLING:
                assert sum(agreements.position_kwh(store, member_id, day)[1]) == sold_kwh[member_id]
            for member_id in BUYING:
                assert sum(agreements.position_kwh(store, member_id, day)[0]) == bought_kwh[member_id]
        for agreement_id in self.children:
            days = [agreements.day_lines_kwh(store, agreement_id, day) for day in clock.days(FIRST, LAST)]
            assert tuple(map(sum, zip(*days, strict=True))) == agreements.open_kwh(store, agreement_id)

    @invariant()
    def collateral_and_money_are_conserved(self) -> None:
        self.market.machine.check_all()
        for member_id in (*SELLING, *BUYING):
            reserved_fen = sum(self.market.reserved(member_id).values())
            assert reserved_fen == self.reserved_fen.get(member_id, 0)
            assert self.market.free_fen(member_id) == OPENING_FEN + self.paid_fen[member_id] - reserved_fen

    @invariant()
    def exposure_is_the_value_of_what_is_open(self) -> None:
        store = self.market.store
        expected_fen = dict.fromkeys(BUYING, 0)
        for agreement_id in self.children:
            bound = agreements.terms(store, agreement_id)
            expected_fen[bound.buyer_id] += open_fen(store, agreement_id, bound)
        assert {member_id: guarantees.exposure(store, member_id) for member_id in BUYING} == expected_fen

    @invariant()
    def released_collateral_leaves_nothing_reserved(self) -> None:
        store = self.market.store
        mark = store.mark()
        for agreement_id in self.children:
            release_collateral(self.market.context(), agreement_id)
        for member_id in (*SELLING, *BUYING):
            assert not self.market.reserved(member_id)
            account_id = funds.account_of(store, member_id)
            assert guarantees.exposure(store, member_id) == 0
            assert funds.free_fen(store, account_id) == OPENING_FEN + self.paid_fen[member_id]
        store.rollback(mark)


TestAgreementsMachine = AgreementsMachine.TestCase
