"""One wrapper per deed that moves the ledger and the auditor together.

Every message goes through :meth:`Play.say`: it is signed, sealed and applied as a block of its own. It has to be carried out exactly if the
auditor knows no reason against it, and what is refused has to be refused for one of the reasons that the auditor knows.
"""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import event

from shudian.contracts.agreements.messages import AgreementBorn, AgreementSettled
from shudian.contracts.funds.messages import ConfirmDeposit, ConfirmPayout, RefusePayout, RequestPayout
from shudian.contracts.governance.messages import AdvanceClock
from shudian.contracts.identity.messages import (
    FREEZE_STANDS,
    MEMBER_FROZEN,
    MEMBER_NOT_ACTIVE,
    NOT_FROZEN,
    FreezeMember,
    FreezeReviewDue,
    ResumeMember,
    SuspendMember,
    UnfreezeMember,
)
from shudian.contracts.identity.messages_persons import KEY_UNKNOWN, SIGNERS_DO_NOT_FIT
from shudian.contracts.identity.messages_registration import STANDING_DOES_NOT_FIT
from shudian.contracts.metering.messages import (
    CorrectReadings,
    ReadingsAccepted,
    ReadingsCorrected,
    SubmitReadings,
)
from shudian.contracts.metering.rules_slots import pack, slots_of
from shudian.contracts.settlement.messages import (
    AcceptStatement,
    AnswerObjection,
    ClearDay,
    IssueStatements,
    ObjectToLine,
    PayStatement,
    PublishReferencePrices,
)
from shudian.contracts.settlement.messages_events import (
    DayBilled,
    LineIssued,
    StatementIssued,
    StatementOverdue,
    StatementPostponed,
)
from shudian.contracts.trading.messages import CancelOrder, CancelSession, OpenSession, PlaceOrder
from shudian.contracts.trading.messages_events import TradeMade
from shudian.kernel.codec import decode
from shudian.kernel.crypto import sha256
from shudian.kernel.envelope import Envelope
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import Outcome
from tests.property.auditor import Reasons, justified, plus_days
from tests.property.auditor_settlement import MarketAuditor
from tests.property.town import (
    BANK,
    EXCHANGE,
    FOUR_EYES,
    GRID,
    LASTS_MS,
    OPENING,
    REGULATOR,
    START_MS,
    Chain,
    capability_kw,
    founded,
    key_of,
    meters,
    resigned,
)


class Play(Chain):
    """One market with its auditor."""

    def __init__(self) -> None:
        super().__init__()
        height, rows = founded()
        self.machine.load(height, list(rows))
        self.machine.settle()
        self.auditor = MarketAuditor(OPENING, START_MS, capability_kw(), GRID, meters())
        self.sent: list[tuple[bytes, tuple[Outcome, ...], int]] = []
        """Envelopes that were answered for good: bytes, outcomes, expiry."""
        self.is_overheard = False
        """Whether a stranger sees the next message before the ledger does."""

    def say(
        self,
        sender_id: int,
        message: Message,
        reasons: Reasons,
        then: Callable[[Any], None],
        names: Sequence[str] = (),
    ) -> bool:
        """Say a message and let the auditor follow; returns whether it was carried out."""
        names = names or (message.authority.role,)
        expected = {one.number for one in self._why_not_speak(sender_id, message, names) + reasons}
        data = self.seal(sender_id, message, names)
        if self.is_overheard:
            self._overhear(data)
        outcomes = self.block(data)
        number = outcomes[0].number
        event(f"{type(message).__name__} {number}")
        assert (number in expected) if expected else number == 0, (message, outcomes[0], expected)
        if number != SIGNERS_DO_NOT_FIT.number:
            self.sent.append((data, outcomes, self.auditor.now_ms + LASTS_MS))
        for kind in (TradeMade, AgreementBorn, StatementOverdue, StatementPostponed, AgreementSettled, FreezeReviewDue):
            if self.told(kind):
                event(kind.__name__)
        if not number:
            then(self.machine.reply_of(outcomes[0]))
        self._end_block()
        return not number

    def _overhear(self, data: bytes) -> None:
        """A stranger signs the same act first; that is refused and does not answer the member's own envelope."""
        self.is_overheard = False
        (answer,) = self.block(resigned(decode(data, Envelope), key_of("stranger")))
        assert answer.number in (KEY_UNKNOWN.number, MEMBER_FROZEN.number, MEMBER_NOT_ACTIVE.number)

    def _why_not_speak(self, sender_id: int, message: Message, names: Sequence[str]) -> Reasons:
        is_suspended = message.authority.active_only and sender_id in self.auditor.suspended
        four_eyes_fen = FOUR_EYES.get(message.authority.second_signer_setting)
        needs_two = four_eyes_fen is not None and message.band_fen() >= four_eyes_fen
        return justified(
            (sender_id in self.auditor.frozen, MEMBER_FROZEN),
            (is_suspended, MEMBER_NOT_ACTIVE),
            (needs_two and len(names) < 2, SIGNERS_DO_NOT_FIT),
        )

    def _end_block(self) -> None:
        """What falls due at the end of the block, in the ledger's order."""
        book = self.auditor
        book.time_reaches(self.now_ms)
        for member_id in book.suspended | book.frozen:
            book.bar(member_id)
        if any(one.is_live and one.closes_ms <= self.now_ms for one in book.sessions.values()):
            book.close_sessions(self.told(TradeMade), self.told(AgreementBorn))
        book.end_block()

    def advance(self, to_ms: int) -> None:
        self.say(EXCHANGE, AdvanceClock(to_ms), [], lambda _: None)

    # ---------------------------------------------------------------------------------------- money and standing

    def deposit(self, member_id: int, fen: int, *, four_eyes: bool = True) -> None:
        message = ConfirmDeposit(member_id, fen, sha256(b"deposit %d" % self.sealed_count))
        names = ("teller", "teller2") if four_eyes else ("teller",)
        reasons = self.auditor.why_not_deposit(fen)
        self.say(BANK, message, reasons, lambda _: self.auditor.deposit(member_id, fen), names)

    def request_payout(self, member_id: int, fen: int, *, four_eyes: bool) -> None:
        names = ("finance", "finance2") if four_eyes else ("finance",)
        reasons = self.auditor.why_not_request_payout(member_id, fen)

        def then(reply: Any) -> None:
            self.auditor.request_payout(reply.payout_id, member_id, fen)

        self.say(member_id, RequestPayout(fen), reasons, then, names)

    def end_payout(self, payout_id: int, *, confirmed: bool) -> None:
        reasons = self.auditor.why_not_end_payout(payout_id, confirmed=confirmed)
        message: Message = RefusePayout(payout_id, "账号不符")
        if confirmed:
            message = ConfirmPayout(payout_id, sha256(b"payout %d" % self.sealed_count))
        self.say(BANK, message, reasons, lambda _: self.auditor.end_payout(payout_id, confirmed=confirmed))

    def suspend(self, member_id: int) -> None:
        reasons = justified((member_id in self.auditor.suspended, STANDING_DOES_NOT_FIT))
        self.say(EXCHANGE, SuspendMember(member_id, "违约"), reasons, lambda _: self.auditor.suspended.add(member_id))

    def resume(self, member_id: int) -> None:
        reasons = justified((member_id not in self.auditor.suspended, STANDING_DOES_NOT_FIT))
        self.say(
            EXCHANGE, ResumeMember(member_id, "整改"), reasons, lambda _: self.auditor.suspended.discard(member_id)
        )

    def freeze(self, member_id: int) -> None:
        reasons = justified((member_id in self.auditor.frozen, FREEZE_STANDS))
        message = FreezeMember(member_id, "调查", plus_days(self.auditor.today, 30))
        self.say(REGULATOR, message, reasons, lambda _: self.auditor.frozen.add(member_id))

    def unfreeze(self, member_id: int) -> None:
        reasons = justified((member_id not in self.auditor.frozen, NOT_FROZEN))
        message = UnfreezeMember(member_id, "结案")
        self.say(REGULATOR, message, reasons, lambda _: self.auditor.frozen.discard(member_id))

    # ---------------------------------------------------------------------------------------------------- trading

    def open_session(self, message: OpenSession) -> None:
        reasons = self.auditor.why_not_open_session(message)
        self.say(EXCHANGE, message, reasons, lambda reply: self.auditor.open_session(reply.session_id, message))

    def cancel_session(self, session_id: int) -> None:
        reasons = self.auditor.why_not_session(session_id)

        def then(_: Any) -> None:
            self.auditor.cancel_session(session_id, self.told(AgreementBorn))

        self.say(EXCHANGE, CancelSession(session_id, "技术故障"), reasons, then)

    def place(self, member_id: int, message: PlaceOrder) -> None:
        def then(reply: Any) -> None:
            order = self.auditor.place(reply.order_id, member_id, message, self.told(TradeMade))
            filled = (reply.filled_kwh, reply.resting_kwh, reply.free_fen)
            assert filled == (order.filled_kwh, order.open_kwh, self.auditor.free(member_id))

        self.say(member_id, message, self.auditor.why_not_place(member_id, message), then)

    def cancel(self, member_id: int, order_id: int) -> None:
        reasons = self.auditor.why_not_cancel(member_id, order_id)
        self.say(member_id, CancelOrder(order_id), reasons, lambda _: self.auditor.cancel(order_id))

    # ------------------------------------------------------------------------------------------------- settlement

    def submit(self, day: int, columns: dict[int, tuple[int, ...]]) -> None:
        message = SubmitReadings(day, tuple(columns), b"".join(pack(values) for values in columns.values()))

        def then(_: Any) -> None:
            (accepted,) = self.told(ReadingsAccepted)
            for one in accepted.days:
                values_wh = slots_of(one.values_wh)
                self.auditor.meters[one.meter_id].accept(day, columns[one.meter_id], one, values_wh)

        self.say(GRID, message, self.auditor.why_not_submit(day, columns), then)

    def correct(self, meter_id: int, day: int, reported: tuple[int, ...]) -> None:
        message = CorrectReadings(meter_id, day, pack(reported), "复核")

        def then(_: Any) -> None:
            (corrected,) = self.told(ReadingsCorrected)
            told = corrected.reading
            self.auditor.meters[meter_id].accept(day, reported, told, slots_of(told.values_wh))

        self.say(GRID, message, self.auditor.why_not_correct(meter_id, day, reported), then)

    def publish(self, day: int, prices: tuple[int, ...]) -> None:
        reasons = self.auditor.why_not_publish(day, prices)

        def then(_: Any) -> None:
            self.auditor.prices[day] = prices

        self.say(EXCHANGE, PublishReferencePrices(day, prices, prices, prices), reasons, then)

    def clear(self, day: int) -> None:
        def then(_: Any) -> None:
            self.auditor.clear(day, self.told(DayBilled))

        self.say(EXCHANGE, ClearDay(day), self.auditor.why_not_clear(day), then)

    def issue(self, month: int, member_ids: tuple[int, ...]) -> None:
        def then(_: Any) -> None:
            self.auditor.issue(month, self.told(StatementIssued), self.told(LineIssued))

        reasons = self.auditor.why_not_issue(month, member_ids)
        self.say(EXCHANGE, IssueStatements(month, member_ids), reasons, then)

    def accept(self, member_id: int, statement_id: int) -> None:
        def then(_: Any) -> None:
            self.auditor.statements[statement_id].is_accepted = True

        reasons = self.auditor.why_not_accept(member_id, statement_id)
        self.say(member_id, AcceptStatement(statement_id), reasons, then, ("finance",))

    def object_to(self, member_id: int, line_id: int, claimed_fen: int) -> None:
        message = ObjectToLine(line_id, claimed_fen, sha256(b"evidence"), "电量有误")
        reasons = self.auditor.why_not_object(member_id, line_id)
        self.say(member_id, message, reasons, lambda reply: self.auditor.object_to(reply.objection_id, line_id))

    def answer(self, objection_id: int, corrected_fen: int | None) -> None:
        message = AnswerObjection(objection_id, corrected_fen is not None, corrected_fen or 0, "复核结论")

        def then(_: Any) -> None:
            self.auditor.answer(objection_id, corrected_fen, self.told(LineIssued))

        self.say(EXCHANGE, message, self.auditor.why_not_answer(objection_id), then)

    def pay(self, member_id: int, statement_id: int) -> None:
        reasons = self.auditor.why_not_pay(member_id, statement_id)
        self.say(member_id, PayStatement(statement_id), reasons, lambda reply: self.auditor.pay(statement_id, reply))
