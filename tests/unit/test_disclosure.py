"""Disclosures: made, put on record, opened by the recipient without a ledger; forged ones prove nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from shudian.cli.commands import Commands
from shudian.cli.common import UserError
from shudian.cli.disclose import disclose, open_disclosure
from shudian.client.handing import HandingError, hand_over, take_over
from shudian.client.keys import write_key_file
from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.settlement.messages_facts import BillLine
from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import sha256
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.prove import prove_message, prove_rows
from shudian.proofs.check import NotProvenError, ProvenRow
from shudian.proofs.files import to_bytes
from shudian.tools.disclosure import (
    PURPOSE,
    Disclosure,
    check_statement,
    disclose_message,
    disclose_statement,
    open_content,
    places_of_statement,
)
from tests.support.chain import create, founder, key_of, reopen
from tests.unit.test_proofs_forged import forgeries
from tests.unit.test_settlement import HYDRO, USER, Town

ID, OTHER_ID = b"the disclosed id", b"another message "
AUDITOR = key_of("auditor")
TRUSTED = [key_of("node").public_key]
SETTING = SetSetting("governance.holidays_day", "", 20300101, (20300101,), "test")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EmbeddedNode]:
    made = create(tmp_path / "data")
    exchange = founder(made, "exchange-operator")
    other = replace(SETTING, from_day=20310101)
    made.submit([exchange.seal([SETTING], message_id=ID), exchange.seal([other], message_id=OTHER_ID)])
    yield made
    made.close()


def is_refused(content: bytes) -> bool:
    try:
        open_content(content, TRUSTED)
    except NotProvenError as error:
        return bool(error.zh and error.en)
    return False


def test_a_message_is_opened_with_its_proof_and_nothing_else(node: EmbeddedNode) -> None:
    content = disclose_message(node, 1, ID)
    found = open_content(content, TRUSTED)
    assert found.said == (SETTING,)
    assert [type(event).__name__ for event in found.events] == ["SettingSet"]
    assert found.proven.message is not None
    assert found.proven.message.envelope.id == ID
    assert encode(OTHER_ID) not in content
    assert b"20310101" not in content
    with pytest.raises(NodeError, match="no message"):
        disclose_message(node, 2, ID)


def test_every_forged_field_of_a_disclosed_message_is_refused(node: EmbeddedNode) -> None:
    proof, count = prove_message(node, 1, ID), 0
    assert not is_refused(encode(Disclosure(0, to_bytes(proof))))
    for forged in forgeries(proof):
        count += 1
        assert is_refused(encode(Disclosure(0, to_bytes(forged)))), forged
    assert count > 80
    other = prove_message(node, 1, OTHER_ID)
    for content in (
        encode(Disclosure(1, to_bytes(proof))),
        encode(Disclosure(-1, to_bytes(proof))),
        encode(Disclosure(0, to_bytes(replace(proof, message_key=other.message_key)))),
        encode(Disclosure(0, to_bytes(replace(proof, message_key=b"")))),
        encode(Disclosure(0, to_bytes(prove_rows(node, lambda _machine: [("kernel.clock", ())])))),
        encode(Disclosure(7, to_bytes(prove_rows(node, lambda _machine: [("settlement.statements", (7,))])))),
        encode(Disclosure(7, to_bytes(prove_rows(node, lambda _machine: [("kernel.clock", ())])))),
        to_bytes(proof),
        b"",
    ):
        assert is_refused(content)


def rows_of(town: Town, member_id: int, statement_id: int) -> list[ProvenRow]:
    """What a proof of the statement's places would show."""
    tables = town.book.store.rows
    places = places_of_statement(town.book.store, member_id, statement_id)
    return [ProvenRow(table, key, encode(tables[table].data[key]), 1) for table, key in places]


@pytest.mark.parametrize("member_id", [USER, HYDRO])
def test_a_statement_is_opened_with_all_its_lines_and_no_other_members_statement(member_id: int) -> None:
    town = Town()
    town.issued()
    held = town.book.store.rows["settlement.statements"].data
    (statement_id,) = (key[0] for key, row in held.items() if row.member_id == member_id)
    rows = rows_of(town, member_id, statement_id)
    check_statement(rows, statement_id)
    assert [one.key for one in rows if one.table == "settlement.statements"] == [(statement_id,)]
    lines = [one for one in rows if one.table == "settlement.lines"]
    worth = [line for line in lines if decode(line.row or b"", BillLine).amount_fen]
    assert worth
    for line in worth:
        with pytest.raises(NotProvenError, match="missing"):
            check_statement([one for one in rows if one is not line], statement_id)
    with pytest.raises(NotProvenError, match="lacks statement"):
        check_statement(rows[1:], statement_id)
    with pytest.raises(NotProvenError, match="version"):
        check_statement([replace_row(rows[0], b"\x90"), *rows[1:]], statement_id)
    with pytest.raises(NodeError, match="no statement"):
        places_of_statement(town.book.store, 3 if member_id == USER else USER, statement_id)


def replace_row(one: ProvenRow, row: bytes) -> ProvenRow:
    return ProvenRow(one.table, one.key, row, one.version)


def test_a_statement_that_is_not_there_is_not_disclosed(node: EmbeddedNode) -> None:
    with pytest.raises(NodeError, match="no statement"):
        disclose_statement(node, 1, 1)


@pytest.fixture
def folder(node: EmbeddedNode, tmp_path: Path) -> Path:
    """The chain's folder at rest, with the keys beside it."""
    node.close()
    write_key_file(tmp_path / "data" / "node.key", sha256(b"node"))
    for name in ("exchange-admin", "exchange-operator", "auditor", "stranger"):
        write_key_file(tmp_path / f"{name}.key", sha256(name.encode()))
    return tmp_path


_app = Commands()
_app.command("disclose")(disclose)
_app.command("open")(open_disclosure)


def run(*words: str) -> Any:
    return CliRunner().invoke(_app, words, catch_exceptions=False)


def handed(folder: Path, *, signer: str = "exchange-admin", wanted: tuple[str, ...] = (ID.hex(),)) -> Any:
    paths = ("--data", str(folder / "data"), "--key", str(folder / f"{signer}.key"), "--out", str(folder / "out"))
    return run("disclose", *wanted, "--to", AUDITOR.sealing.public_key.hex(), *paths, "--json")


def opened(folder: Path, reader: str, *options: str) -> Any:
    return run(
        "open", str(folder / "out"), "--key", str(folder / f"{reader}.key"), "--trust", TRUSTED[0].hex(), *options
    )


def test_the_recipient_opens_what_was_put_on_record_before(folder: Path) -> None:
    made = json.loads(handed(folder).stdout)
    data = (folder / "out").read_bytes()
    node = reopen(folder / "data")
    (row,) = founder(node, "regulator-officer").query("identity.disclosures")
    assert founder(node, "bank-admin").query("identity.disclosures") == []
    node.close()
    assert (row["disclosure_no"], row["member_id"], row["message_id"]) == (made["disclosure_no"], 1, ID)
    assert (row["file_digest"], row["recipient_key"]) == (sha256(data), AUDITOR.sealing.public_key)
    shown = json.loads(opened(folder, "auditor", "--json").stdout)
    (said,), (happened,) = shown["message"]["said"], shown["message"]["events"]
    assert said["SetSetting"]["values"] == happened["SettingSet"]["values"] == [20300101]
    assert shown["file_digest"] == made["file_digest"]
    assert "SettingSet" in opened(folder, "auditor").stdout
    with pytest.raises(HandingError, match="another key"):
        opened(folder, "stranger")


def test_what_is_handed_over_forged_is_refused_with_exit_code_1(folder: Path) -> None:
    handed(folder)
    content = take_over((folder / "out").read_bytes(), AUDITOR, PURPOSE)
    found = decode(content, Disclosure)
    for forged in (replace(found, statement_id=3), replace(found, proof=found.proof[:-1])):
        (folder / "out").write_bytes(hand_over(encode(forged), AUDITOR.sealing.public_key, PURPOSE))
        done = opened(folder, "auditor")
        assert done.exit_code == 1
        assert "否：" in done.output
    other = ("--key", str(folder / "auditor.key"), "--trust", key_of("stranger").public_key.hex())
    (folder / "out").write_bytes(hand_over(content, AUDITOR.sealing.public_key, PURPOSE))
    assert run("open", str(folder / "out"), *other).exit_code == 1


def test_nothing_is_written_that_is_not_on_record(folder: Path) -> None:
    for signer, wanted in (
        ("exchange-operator", (ID.hex(),)),  # not an admin
        ("exchange-admin", (bytes(16).hex(),)),
        ("exchange-admin", ("--statement", "1")),
    ):
        with pytest.raises(Exception, match=r"role|no message|no statement"):
            handed(folder, signer=signer, wanted=wanted)
        assert not (folder / "out").exists()


def test_a_file_that_is_there_is_not_overwritten_nor_a_disclosure_put_on_record(folder: Path) -> None:
    (folder / "out").write_bytes(b"kept")
    with pytest.raises(UserError, match="exists"):
        handed(folder)
    assert (folder / "out").read_bytes() == b"kept"
    node = reopen(folder / "data")
    assert founder(node, "regulator-officer").query("identity.disclosures") == []
    node.close()


@pytest.mark.parametrize("wanted", [(), (ID.hex(), "--statement", "1"), ("xyz",)])
def test_the_question_must_be_one(folder: Path, wanted: tuple[str, ...]) -> None:
    with pytest.raises(UserError):
        handed(folder, wanted=wanted)
