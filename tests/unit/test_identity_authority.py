"""The port: who may say what, over a contract made for the purpose."""

from typing import ClassVar

import pytest

from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.identity.messages import FreezeMember, RequestExit, SuspendMember
from shudian.contracts.identity.messages_persons import RevokeKey, RotateKey
from shudian.contracts.roles import Kind, Role
from shudian.kernel.contract import Context, Contract
from shudian.kernel.messages import Authority, Message, Setting
from tests.support.ledger import Ledger, key_of
from tests.unit.test_identity import (
    BANK,
    EXCHANGE,
    GENERATOR,
    GRID,
    NOBODY,
    OFFICER,
    REGULATOR,
    RETAILER,
    REVIEWER,
    application,
    applied,
    market,
)

BAND = "probe.second_signer_from_fen"


class Trade(Message):
    authority: ClassVar[Authority] = Authority((Kind.GENERATOR, Kind.RETAILER), Role.TRADER, "", "")


class Confirm(Message):
    authority: ClassVar[Authority] = Authority((Kind.BANK,), Role.TELLER, "", "", second_signer_setting=BAND)

    amount_fen: int

    def band_fen(self) -> int:
        return self.amount_fen


class Double(Message):
    authority: ClassVar[Authority] = Authority((Kind.BANK,), Role.TELLER, "", "", signers=2)


def heard(_ctx: Context, _message: Message) -> None:
    """Whatever passes the port is done."""


PROBE = Contract(
    name="probe",
    number=99,
    tables=(),
    handlers={Trade: heard, Confirm: heard, Double: heard},
    events=(),
    refusals=(),
    settings=(Setting(BAND, 0, 10**15, "", ""),),
)


def book_with_band() -> Ledger:
    book = market([PROBE])
    book.done(EXCHANGE, SetSetting(BAND, "", 20260620, (1_000,), "test"), "ex-operator")
    return book


@pytest.mark.parametrize(
    ("sender_id", "message", "signers", "number"),
    [
        (GENERATOR, Trade(), ("gen-trader",), 0),
        (RETAILER, Trade(), ("ret-admin",), 0),
        (NOBODY, Trade(), ("gen-trader",), 3001),
        (0, Trade(), ("gen-trader",), 3001),
        (0, Trade(), ("new-admin",), 3001),
        (GRID, Trade(), ("grid-admin",), 3004),
        (GENERATOR, Trade(), ("stranger",), 3006),
        (GENERATOR, Trade(), ("ret-admin",), 3008),
        (GENERATOR, Trade(), ("gen-admin",), 3009),
        (GENERATOR, Trade(), ("gen-trader", "gen-fin"), 3009),
        (GENERATOR, Trade(), ("gen-trader", "stranger"), 3006),
        (GENERATOR, Trade(), ("gen-trader", "ret-admin"), 3008),
        (BANK, Confirm(999), ("teller-1",), 0),
        (BANK, Confirm(1_000), ("teller-1",), 3010),
        (BANK, Confirm(1_000), ("teller-1", "teller-2"), 0),
        (BANK, Confirm(1_000), ("teller-1", "bank-admin"), 3009),
        (BANK, Double(), ("teller-1",), 3010),
        (BANK, Double(), ("teller-1", "teller-2"), 0),
        (0, application(), ("new-admin",), 0),
        (0, application(), ("new-admin", "another"), 3010),
        (0, application(), ("gen-trader",), 3011),
        (GENERATOR, application(), ("new-admin",), 3004),
    ],
)
def test_who_may_say_what(sender_id: int, message: Message, signers: tuple[str, ...], number: int) -> None:
    assert book_with_band().say(sender_id, message, *signers).number == number


def test_a_band_without_a_setting_is_refused() -> None:
    assert market([PROBE]).refused(BANK, Confirm(1), "teller-1") == 2003


def test_applicants_and_suspended_members_may_say_only_what_is_open_to_them() -> None:
    book = market([PROBE])
    new_id = applied(book)
    assert book.refused(new_id, SuspendMember(GENERATOR, "x"), "new-admin") == 3002
    book.done(EXCHANGE, SuspendMember(GENERATOR, "x"), REVIEWER)
    assert book.refused(GENERATOR, Trade(), "gen-trader") == 3002
    book.done(GENERATOR, RequestExit("x"), "gen-admin")


def test_a_frozen_member_says_nothing() -> None:
    book = market([PROBE])
    book.done(REGULATOR, FreezeMember(GENERATOR, "x", 20260703), OFFICER)
    assert book.refused(GENERATOR, Trade(), "gen-trader") == 3003
    assert book.refused(GENERATOR, RequestExit("x"), "gen-admin") == 3003
    new_key = key_of("gen-new").public_key
    assert book.refused(GENERATOR, RotateKey(new_key), "gen-trader", "gen-new") == 3003


def test_a_stranger_is_named_before_the_members_standing() -> None:
    """3006 leaves the id unused: a stranger's copy must not spend it, whatever the member's standing."""
    book = market([PROBE])
    book.done(REGULATOR, FreezeMember(GENERATOR, "x", 20260703), OFFICER)
    assert book.refused(GENERATOR, Trade(), "a stranger") == 3006


def test_a_key_out_of_force_signs_nothing() -> None:
    book = market([PROBE])
    book.done(GENERATOR, RevokeKey(2, "离职"), "gen-admin")
    assert book.refused(GENERATOR, Trade(), "gen-trader") == 3007
    book.done(RETAILER, RotateKey(key_of("ret-new").public_key), "ret-admin", "ret-new")
    assert book.refused(RETAILER, Trade(), "ret-admin") == 3007
    book.done(RETAILER, Trade(), "ret-new")
