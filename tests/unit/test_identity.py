"""Identity: application, review, public notice, change, suspension, exit, freeze."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import pytest
from msgspec.structs import replace
from stdnum.cn import uscc as stdnum_uscc

from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.identity.messages import (
    ConfirmExit,
    FreezeMember,
    FreezeReviewDue,
    RequestExit,
    ResumeMember,
    Standing,
    SuspendMember,
    UnfreezeMember,
)
from shudian.contracts.identity.messages_registration import (
    ApplyMember,
    ChangeMember,
    Decision,
    Declared,
    Document,
    Evidence,
    Item,
    ItemCheck,
    MemberActivated,
    Particulars,
    ResubmitApplication,
    ReviewMember,
    all_passed,
)
from shudian.contracts.roles import Kind
from shudian.kernel.clock import DAY_MS
from shudian.kernel.contract import Contract
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import Refused
from tests.support.ledger import Ledger, key_of

EXCHANGE, REGULATOR, GRID, BANK, GENERATOR, RETAILER = 1, 2, 3, 4, 5, 6
NOBODY = 99
DIGEST = bytes(range(32))
YUAN_FEN = 100
MILLION_YUAN_FEN = 1_000_000 * YUAN_FEN
TWH_KWH = 1_000_000_000


def code(number: int) -> str:
    """A constructed Sichuan credit code."""
    body = f"91510000MA{number:07d}"
    return body + str(stdnum_uscc.calc_check_digit(body))


def entry(number: int, kind: Kind, persons: dict[str, tuple[str, ...]], **more: Any) -> dict[str, Any]:
    keys = [{"public_key": key_of(name).public_key.hex(), "roles": list(roles)} for name, roles in persons.items()]
    names = {"name_zh": f"成员{number}", "name_en": f"Member {number}"}
    return {"kind": kind.value, "uscc": code(number), "persons": keys, **names, **more}


def settings() -> list[dict[str, Any]]:
    folder = files("shudian.genesis").joinpath("sichuan2026")
    texts = [folder.joinpath(f"{name}.toml").read_text(encoding="utf-8") for name in ("governance", "identity")]
    return [setting for text in texts for setting in tomllib.loads(text)["setting"]]


MEMBERS = [
    entry(1, Kind.EXCHANGE, {"ex-admin": ("admin",), "ex-reviewer": ("reviewer",), "ex-operator": ("operator",)}),
    entry(2, Kind.REGULATOR, {"reg-admin": ("admin", "reviewer"), "reg-officer": ("officer",)}),
    entry(3, Kind.GRID_COMPANY, {"grid-admin": ("admin", "meter")}),
    entry(4, Kind.BANK, {"bank-admin": ("admin",), "teller-1": ("teller",), "teller-2": ("teller",)}),
    entry(5, Kind.GENERATOR, {"gen-admin": ("admin",), "gen-trader": ("trader", "finance"), "gen-fin": ("finance",)}),
    entry(6, Kind.RETAILER, {"ret-admin": ("admin", "trader")}),
]
REVIEWER, OFFICER = "ex-reviewer", "reg-officer"


def market(contracts: Sequence[Contract] = ()) -> Ledger:
    chosen = (governance.CONTRACT, identity.CONTRACT, *contracts)
    sections = {"governance": {"settings": settings()}, "identity": {"members": MEMBERS}}
    return Ledger(chosen, sections, identity.authorise)


def particulars(name: str = "岷江水电有限公司", declared: Declared | None = None, *evidence: Evidence) -> Particulars:
    kinds = evidence or (Evidence.BUSINESS_LICENCE,)
    documents = tuple(Document(kind, DIGEST) for kind in kinds)
    return Particulars(name, "Minjiang Hydro", DIGEST, documents, declared or Declared())


SOUND_RETAILER = Declared(50 * MILLION_YUAN_FEN, 2 * TWH_KWH, 10, 1, 3)


def application(number: int = 50, kind: Kind = Kind.GENERATOR, declared: Declared | None = None) -> ApplyMember:
    return ApplyMember(kind, code(number), particulars(declared=declared), DIGEST)


def applied(book: Ledger, message: ApplyMember | None = None, key: str = "new-admin") -> int:
    member_id: int = book.done(0, message or application(), key).member_id
    return member_id


def approve(member_id: int, uscc_note: str = "") -> ReviewMember:
    return ReviewMember(member_id, Decision.APPROVE, all_passed(uscc_note), "")


def turn_down(member_id: int, decision: Decision) -> ReviewMember:
    return ReviewMember(member_id, decision, (ItemCheck(Item.LICENCE, passed=False),), "许可证已过期")


def standing(book: Ledger, member_id: int) -> Standing:
    return identity.member(book.store, member_id).standing


def step(book: Ledger, *days: int) -> None:
    for count in days:
        book.advance(book.now_ms + count * DAY_MS)


def activated(book: Ledger, **how: Any) -> int:
    member_id = applied(book, **how)
    book.done(EXCHANGE, approve(member_id), REVIEWER)
    step(book, 30)
    assert standing(book, member_id) == Standing.ACTIVE
    return member_id


def test_an_application_is_reviewed_noticed_and_becomes_active() -> None:
    book = market()
    member_id = applied(book)
    assert member_id == len(MEMBERS) + 1
    assert standing(book, member_id) == Standing.SUBMITTED
    book.done(EXCHANGE, approve(member_id), REVIEWER)
    assert standing(book, member_id) == Standing.NOTICED
    step(book, 6)
    assert standing(book, member_id) == Standing.NOTICED
    step(book, 1)
    assert standing(book, member_id) == Standing.ACTIVE
    assert [type(event) for event in book.events] == [MemberActivated]
    book.machine.check_all()


def test_a_retailer_is_on_notice_for_thirty_days() -> None:
    book = market()
    member_id = applied(book, application(kind=Kind.RETAILER, declared=SOUND_RETAILER))
    book.done(EXCHANGE, approve(member_id), REVIEWER)
    step(book, 29)
    assert standing(book, member_id) == Standing.NOTICED
    step(book, 1)
    assert standing(book, member_id) == Standing.ACTIVE


def test_a_returned_application_is_put_right_and_approved() -> None:
    book = market()
    member_id = applied(book)
    book.done(EXCHANGE, turn_down(member_id, Decision.RETURN), REVIEWER)
    assert standing(book, member_id) == Standing.RETURNED
    better = ResubmitApplication(code(51), particulars("改正后的名称"))
    book.done(member_id, better, "new-admin")
    assert identity.member(book.store, member_id).uscc == code(51)
    assert book.refused(member_id, better, "new-admin") == 3019
    book.done(EXCHANGE, approve(member_id), REVIEWER)
    assert identity.member(book.store, member_id).name_zh == "改正后的名称"


@pytest.mark.parametrize("decision", [Decision.RETURN, Decision.REJECT])
def test_a_notice_can_be_ended_by_turning_the_application_down(decision: Decision) -> None:
    book = market()
    member_id = applied(book)
    book.done(EXCHANGE, approve(member_id), REVIEWER)
    assert book.refused(EXCHANGE, approve(member_id), REVIEWER) == 3015
    book.done(EXCHANGE, turn_down(member_id, decision), REVIEWER)
    step(book, 40)
    assert standing(book, member_id) in (Standing.RETURNED, Standing.REJECTED)
    book.machine.check_all()


def test_a_rejected_company_may_apply_anew_with_another_key() -> None:
    book = market()
    first_id = applied(book)
    assert book.refused(0, application(), "second-key") == 3012
    book.done(EXCHANGE, turn_down(first_id, Decision.REJECT), REVIEWER)
    assert book.refused(first_id, ResubmitApplication(code(50), particulars()), "new-admin") == 3002
    assert book.refused(0, application(), "new-admin") == 3011
    assert applied(book, key="second-key") == first_id + 1
    book.machine.check_all()


def test_resubmission_may_not_take_another_members_code() -> None:
    book = market()
    member_id = applied(book)
    book.done(EXCHANGE, turn_down(member_id, Decision.RETURN), REVIEWER)
    assert book.refused(member_id, ResubmitApplication(code(GENERATOR), particulars()), "new-admin") == 3012


OLD_CODE = code(60)[:-1] + ("0" if code(60)[-1] != "0" else "1")


def test_an_old_code_that_fails_the_check_needs_a_certificate_and_a_note() -> None:
    book = market()
    without = ApplyMember(Kind.GENERATOR, OLD_CODE, particulars(), DIGEST)
    assert book.refused(0, without, "new-admin") == 1011
    certified = replace(without, particulars=particulars("老厂", None, Evidence.USCC_CERTIFICATE))
    member_id = applied(book, certified)
    assert book.refused(EXCHANGE, approve(member_id), REVIEWER) == 3013
    book.done(EXCHANGE, approve(member_id, "登记机关证明 2026-06"), REVIEWER)
    assert standing(book, member_id) == Standing.NOTICED


@pytest.mark.parametrize(
    ("assets_yuan_millions", "volume_twh", "staff", "number"),
    [
        (20, 3, (10, 1, 3), 0),
        (19, 1, (10, 1, 3), 3016),
        (99, 4, (10, 1, 3), 3017),
        (100, 6, (10, 1, 3), 0),
        (199, 7, (10, 1, 3), 3017),
        (200, 50, (10, 1, 3), 0),
        (50, 1, (9, 1, 3), 3018),
        (50, 1, (10, 0, 3), 3018),
        (50, 1, (10, 1, 2), 3018),
    ],
)
def test_a_retailer_meets_the_rule_of_assets_volume_and_staff(
    assets_yuan_millions: int, volume_twh: int, staff: tuple[int, int, int], number: int
) -> None:
    book = market()
    declared = Declared(assets_yuan_millions * MILLION_YUAN_FEN, volume_twh * TWH_KWH, *staff)
    member_id = applied(book, application(kind=Kind.RETAILER, declared=declared))
    assert book.say(EXCHANGE, approve(member_id), REVIEWER).number == number


def test_the_rule_for_retailers_holds_for_nobody_else() -> None:
    book = market()
    book.done(EXCHANGE, approve(applied(book)), REVIEWER)


@pytest.mark.parametrize(
    "checks",
    [
        (),
        all_passed()[:-1],
        (*all_passed()[:-1], ItemCheck(Item.DUPLICATE, passed=False)),
        (*all_passed()[1:], all_passed()[0]),
    ],
)
def test_an_approval_needs_every_item_passed_in_order(checks: tuple[ItemCheck, ...]) -> None:
    book = market()
    member_id = applied(book)
    assert book.refused(EXCHANGE, ReviewMember(member_id, Decision.APPROVE, checks, ""), REVIEWER) == 1011


def test_turning_down_needs_a_reason() -> None:
    book = market()
    member_id = applied(book)
    assert book.refused(EXCHANGE, ReviewMember(member_id, Decision.REJECT, (), ""), REVIEWER) == 1011


@pytest.mark.parametrize(
    "message",
    [
        application(kind=Kind.EXCHANGE),
        replace(application(), uscc=code(50).lower()),
        replace(application(), person_digest=b"name"),
        replace(application(), particulars=replace(particulars(), name_zh="")),
        replace(application(), particulars=replace(particulars(), name_en="a\nb")),
        replace(application(), particulars=replace(particulars(), documents=())),
        replace(application(), particulars=replace(particulars(), legal_person_digest=b"")),
        replace(application(), particulars=particulars(declared=Declared(assets_fen=-1))),
    ],
)
def test_malformed_applications_are_refused(message: ApplyMember) -> None:
    assert market().refused(0, message, "new-admin") == 1011


def test_a_change_holds_once_it_is_approved() -> None:
    book = market()
    member_id = activated(book)
    book.done(member_id, ChangeMember(particulars("新名称")), "new-admin")
    assert book.refused(member_id, ChangeMember(particulars("又一名称")), "new-admin") == 3020
    assert identity.member(book.store, member_id).name_zh == "岷江水电有限公司"
    assert identity.is_good(book.store, member_id)
    book.done(EXCHANGE, approve(member_id), REVIEWER)
    assert identity.member(book.store, member_id).name_zh == "新名称"
    assert book.refused(EXCHANGE, approve(member_id), REVIEWER) == 3015


def test_a_change_that_is_turned_down_leaves_the_member_as_it_was() -> None:
    book = market()
    before = identity.member(book.store, GENERATOR)
    book.done(GENERATOR, ChangeMember(particulars("新名称")), "gen-admin")
    book.done(EXCHANGE, turn_down(GENERATOR, Decision.REJECT), REVIEWER)
    assert identity.member(book.store, GENERATOR) == before


def test_a_retailer_may_not_change_below_the_rule() -> None:
    book = market()
    book.done(RETAILER, ChangeMember(particulars(declared=replace(SOUND_RETAILER, assets_fen=1))), "ret-admin")
    assert book.refused(EXCHANGE, approve(RETAILER), REVIEWER) == 3016


def test_nobody_reviews_its_own_case_but_institutions_review_one_another() -> None:
    book = market()
    book.done(EXCHANGE, ChangeMember(particulars("交易中心新名称")), "ex-admin")
    assert book.refused(EXCHANGE, approve(EXCHANGE), REVIEWER) == 3014
    book.done(REGULATOR, approve(EXCHANGE), "reg-admin")
    assert identity.member(book.store, EXCHANGE).name_zh == "交易中心新名称"


def test_suspension_bars_a_member_until_it_is_resumed() -> None:
    book = market()
    book.done(EXCHANGE, SuspendMember(GENERATOR, "未按期缴费"), REVIEWER)
    assert identity.barred(book.store) == [GENERATOR]
    assert not identity.is_good(book.store, GENERATOR)
    book.done(GENERATOR, ChangeMember(particulars()), "gen-admin")
    book.done(EXCHANGE, ResumeMember(GENERATOR, "已缴费"), REVIEWER)
    assert identity.barred(book.store) == []
    assert identity.is_good(book.store, GENERATOR)


def test_a_member_leaves_and_its_code_is_free_again() -> None:
    book = market()
    book.done(GENERATOR, ChangeMember(particulars()), "gen-admin")
    book.done(GENERATOR, RequestExit("业务调整"), "gen-admin")
    assert identity.barred(book.store) == [GENERATOR]
    book.done(EXCHANGE, ConfirmExit(GENERATOR, "合同已履约、账单已结清"), REVIEWER)
    assert standing(book, GENERATOR) == Standing.EXITED
    assert book.refused(EXCHANGE, approve(GENERATOR), REVIEWER) == 3015
    assert applied(book, application(GENERATOR))
    book.machine.check_all()


def test_a_freeze_is_called_for_review_once_and_lifted() -> None:
    book = market()
    book.done(REGULATOR, FreezeMember(GENERATOR, "涉嫌操纵市场", 20260703), OFFICER)
    assert identity.barred(book.store) == [GENERATOR]
    step(book, 12)  # 2026-07-02
    assert book.events == []
    step(book, 1)
    assert [type(event) for event in book.events] == [FreezeReviewDue]
    step(book, 1)
    assert book.events == []
    book.machine.check_all()
    book.done(REGULATOR, UnfreezeMember(GENERATOR, "核查无异常"), OFFICER)
    assert identity.is_good(book.store, GENERATOR)
    book.machine.check_all()


@pytest.mark.parametrize(
    ("sender_id", "message", "signer", "number"),
    [
        (EXCHANGE, approve(NOBODY), REVIEWER, 3001),
        (EXCHANGE, approve(GENERATOR), REVIEWER, 3015),
        (EXCHANGE, SuspendMember(NOBODY, "x"), REVIEWER, 3001),
        (EXCHANGE, SuspendMember(REGULATOR, "x"), REVIEWER, 3004),
        (EXCHANGE, SuspendMember(GENERATOR, ""), REVIEWER, 1011),
        (EXCHANGE, ResumeMember(GENERATOR, "x"), REVIEWER, 3019),
        (EXCHANGE, ResumeMember(NOBODY, "x"), REVIEWER, 3001),
        (EXCHANGE, ConfirmExit(GENERATOR, "x"), REVIEWER, 3019),
        (EXCHANGE, ConfirmExit(NOBODY, "x"), REVIEWER, 3001),
        (GENERATOR, RequestExit(""), "gen-admin", 1011),
        (REGULATOR, RequestExit("x"), "reg-admin", 3004),
        (REGULATOR, FreezeMember(NOBODY, "x", 20260703), OFFICER, 3001),
        (REGULATOR, FreezeMember(REGULATOR, "x", 20260703), OFFICER, 3014),
        (REGULATOR, FreezeMember(GENERATOR, "x", 20260620), OFFICER, 3028),
        (REGULATOR, FreezeMember(GENERATOR, "x", 20260919), OFFICER, 3028),
        (REGULATOR, FreezeMember(GENERATOR, "x", 20260918), OFFICER, 0),
        (REGULATOR, FreezeMember(GENERATOR, "x", 20260631), OFFICER, 1011),
        (REGULATOR, UnfreezeMember(GENERATOR, "x"), OFFICER, 3027),
        (REGULATOR, UnfreezeMember(NOBODY, "x"), OFFICER, 3001),
    ],
)
def test_decisions_on_members_are_refused(sender_id: int, message: Message, signer: str, number: int) -> None:
    assert market().say(sender_id, message, signer).number == number


def test_what_does_not_fit_the_standing_is_refused() -> None:
    book = market()
    book.done(EXCHANGE, SuspendMember(GENERATOR, "x"), REVIEWER)
    assert book.refused(EXCHANGE, SuspendMember(GENERATOR, "x"), REVIEWER) == 3019
    book.done(GENERATOR, RequestExit("x"), "gen-admin")
    assert book.refused(GENERATOR, RequestExit("x"), "gen-admin") == 3019
    assert book.refused(GENERATOR, ChangeMember(particulars()), "gen-admin") == 3019
    book.done(REGULATOR, FreezeMember(RETAILER, "x", 20260703), OFFICER)
    assert book.refused(REGULATOR, FreezeMember(RETAILER, "x", 20260703), OFFICER) == 3026


def refusal_of(call: Any, *arguments: Any) -> int:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value.refusal.number


def test_verbs_answer_and_refuse() -> None:
    book = market()
    store = book.store
    assert identity.the_only(store, Kind.GRID_COMPANY) == GRID
    assert refusal_of(identity.the_only, store, Kind.USER) == 3005
    activated(book)
    assert refusal_of(identity.the_only, store, Kind.GENERATOR) == 3005
    assert identity.require_kind(store, GENERATOR, (Kind.GENERATOR,)).uscc == code(GENERATOR)
    assert refusal_of(identity.require_kind, store, GENERATOR, (Kind.BANK,)) == 3004
    assert refusal_of(identity.member, store, NOBODY) == 3001
    assert refusal_of(identity.require_good, store, NOBODY) == 3001
    assert not identity.is_good(store, NOBODY)
    book.done(EXCHANGE, SuspendMember(GENERATOR, "x"), REVIEWER)
    assert refusal_of(identity.require_good, store, GENERATOR) == 3002
    book.done(REGULATOR, FreezeMember(RETAILER, "x", 20260801), OFFICER)
    assert refusal_of(identity.require_good, store, RETAILER) == 3003
    assert not identity.is_good(store, RETAILER)
    assert identity.require_good(store, BANK).kind == Kind.BANK


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"uscc": "91510000MA0000000D"}, 1011),
        ({"uscc": code(EXCHANGE)}, 3012),
        ({"name_zh": ""}, 1011),
        ({"persons": [{"public_key": "00" * 32, "roles": ["admin"]}]}, 1011),
        ({"persons": [{"public_key": key_of("ex-admin").public_key.hex(), "roles": ["admin"]}]}, 3011),
        ({"persons": [{"public_key": key_of("x").public_key.hex(), "roles": ["teller"]}]}, 3023),
    ],
)
def test_genesis_refuses_what_an_application_would(change: dict[str, Any], number: int) -> None:
    wrong = {**entry(7, Kind.USER, {"user-admin": ("admin",)}), **change}
    sections = {"governance": {"settings": settings()}, "identity": {"members": [*MEMBERS, wrong]}}
    contracts = (governance.CONTRACT, identity.CONTRACT)
    assert refusal_of(Ledger, contracts, sections, identity.authorise) == number
