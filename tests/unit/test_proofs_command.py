"""``shudian-verify`` says yes or no without a ledger, and ``shudian prove`` makes what it reads."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from shudian.cli.common import UserError
from shudian.cli.prove import app
from shudian.client.keys import write_key_file
from shudian.contracts.governance.messages import SetSetting
from shudian.kernel.codec import encode
from shudian.kernel.crypto import sha256
from shudian.kernel.machine import WALL
from shudian.node.embedded import EmbeddedNode
from shudian.node.prove import prove_message, prove_rows
from shudian.proofs.command import CANNOT_ASK, NO, YES, main
from shudian.proofs.files import Proof, to_bytes
from tests.support.chain import create, founder, key_of
from tests.support.source import PACKAGE, REPOSITORY
from tests.unit.test_proofs import SIGNER, row_proof, signed, tree_of

TRUSTED = key_of("node").public_key.hex()
STRANGER = key_of("stranger").public_key.hex()
ID = b"0123456789abcdef"
ROW = ("governance.setting_rows", ("governance.holidays_day", "", 20300101))
NO_ROW = ("governance.setting_rows", ("governance.holidays_day", "", 20300102))

ALLOWED = """shudian shudian.compiled shudian.faults shudian.kernel shudian.kernel.blinding shudian.kernel.check shudian.kernel.clock shudian.kernel.clock_row shudian.kernel.codec shudian.kernel.comet shudian.kernel.crypto shudian.kernel.envelope
shudian.kernel.envelope_records shudian.kernel.fields shudian.kernel.ids shudian.kernel.merkle shudian.kernel.outcomes shudian.kernel.steps shudian.kernel.units shudian.proofs shudian.proofs.check shudian.proofs.command shudian.proofs.files
shudian.proofs.words"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EmbeddedNode]:
    made = create(tmp_path / "data")
    exchange = founder(made, "exchange-operator")
    exchange.submit(SetSetting("governance.holidays_day", "", 20300101, (20300101,), "测试"), message_id=ID)
    yield made
    made.close()


def written(tmp_path: Path, proof: Proof) -> str:
    path = tmp_path / "a.proof"
    path.write_bytes(to_bytes(proof))
    return str(path)


def test_yes_in_a_sentence_with_the_sandbox_named(
    node: EmbeddedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = (
        (prove_rows(node, lambda _machine: [ROW]), "= [[20300101]", "= [[20300101]"),
        (prove_rows(node, lambda _machine: [NO_ROW]), "is not there", "没有这一行"),
        (prove_rows(node, lambda _machine: [ROW, NO_ROW]), "these hold", "以下各行成立"),
        (prove_message(node, 1, ID), "outcome done", "结果 已完成"),
    )
    for proof, en, zh in cases:
        file = written(tmp_path, proof)
        assert main([file, "--trust", TRUSTED, "--lang", "en"]) == YES
        said = capsys.readouterr().out
        assert said.startswith("yes: on chain test (stepped clock: a sandbox, not a real market)")
        assert en in said
        assert main([file, "--trust", TRUSTED, "--lang", "zh"]) == YES
        said = capsys.readouterr().out
        assert said.startswith("是：链 test（步进时钟：沙盒链，不是真实市场）")
        assert zh in said


def test_a_real_market_is_not_called_a_sandbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node = create(tmp_path / "wall", WALL)
    file = written(tmp_path, prove_rows(node, lambda _machine: [("kernel.clock", ())]))
    node.close()
    assert main([file, "--trust", TRUSTED, "--lang", "en"]) == YES
    said = capsys.readouterr().out
    assert "(wall clock)" in said
    assert "sandbox" not in said


def test_no_in_a_sentence(node: EmbeddedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, prove_rows(node, lambda _machine: [ROW]))
    assert main([file, "--trust", STRANGER, "--lang", "en"]) == NO
    assert capsys.readouterr().out == "no: the header is signed by a key that is not trusted\n"
    assert main([file, "--trust", STRANGER]) == NO
    assert capsys.readouterr().out.startswith("否：")
    assert main([file, "--trust", TRUSTED, "--trust", STRANGER, "--lang", "en"]) == NO
    assert "1 of 2 did" in capsys.readouterr().out


def test_the_power_of_a_key_may_be_named(
    node: EmbeddedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, prove_rows(node, lambda _machine: [ROW]))
    assert main([file, "--trust", f"{TRUSTED}=1"]) == YES
    capsys.readouterr()
    assert main([file, "--trust", f"{TRUSTED}=2", "--lang", "en"]) == NO
    assert capsys.readouterr().out == "no: the trusted keys and powers are not the block's set of validators\n"
    assert main([file, "--trust", f"{TRUSTED}=2", f"{STRANGER}=1", "--lang", "en"]) == NO
    assert "2 of 3 did" in capsys.readouterr().out


def test_json_for_programs(node: EmbeddedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, prove_message(node, 1, ID))
    assert main([file, "--trust", TRUSTED, "--json"]) == YES
    told = json.loads(capsys.readouterr().out)
    assert (told["proven"], told["stepped_clock"], told["height"]) == (True, True, 1)
    assert told["message"]["id"] == ID.hex()
    assert told["message"]["said"][0][0] == "SetSetting"
    assert main([file, "--trust", STRANGER, "--json"]) == NO
    assert json.loads(capsys.readouterr().out)["proven"] is False


@pytest.mark.parametrize(
    ("file", "trust", "words"),
    [
        ("missing.proof", TRUSTED, "missing.proof cannot be read"),
        (".", TRUSTED, "cannot be read"),
        ("a.proof", "abc", "64 hexadecimal digits"),
        ("a.proof", "00" * 32, "64 hexadecimal digits"),
        ("a.proof", f"{TRUSTED}=0", "=POWER"),
        ("a.proof", f"{TRUSTED}=-1", "=POWER"),
        ("a.proof", f"{TRUSTED}=much", "=POWER"),
    ],
)
def test_what_cannot_be_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, trust: str, words: str
) -> None:
    (tmp_path / "a.proof").write_bytes(b"")
    assert main([str(tmp_path / file), "--trust", trust, "--lang", "en"]) == CANNOT_ASK
    assert words in capsys.readouterr().err


def test_what_is_proved_plays_no_tricks_with_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trick = "\x1b[2Jyes\u009b2J\u202e\u2028\U000e0041"
    proof = row_proof(tree_of({(trick,): encode((trick,))}), (trick,), encode((trick,)))
    header = replace(proof.carrier.header, chain_id=trick)
    file = written(tmp_path, replace(proof, carrier=signed(header, SIGNER)))
    for words in ((), ("--json",)):
        assert main([file, "--trust", SIGNER.public_key.hex(), *words]) == YES
        said = capsys.readouterr().out
        assert all(char.isprintable() or char == "\n" for char in said)
        assert said.count(json.dumps(trick)[1:-1]) == 3


def test_the_command_is_installed() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert EntryPoint("shudian-verify", project["scripts"]["shudian-verify"], "console_scripts").load() is main


def test_the_trusted_key_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["a.proof"])
    assert stopped.value.code == CANNOT_ASK
    assert "--trust" in capsys.readouterr().err


def test_the_verifier_is_small_and_needs_no_ledger() -> None:
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in (PACKAGE / "proofs").glob("*.py"))
    assert lines <= 500
    script = (
        "import sys, shudian.proofs.command; "
        "print(*sorted(name for name in sys.modules if name.split('.')[0] in ('shudian', 'sqlite3', 'typer', 'numpy')))"
    )
    environment = {"PYTHONPATH": str(REPOSITORY / "src"), "PATH": "", "SHUDIAN_KERNEL": "plain"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ALLOWED.split()


@pytest.fixture
def folder(node: EmbeddedNode, tmp_path: Path) -> Path:
    """The chain's folder at rest, with the node's key beside the ledger."""
    node.close()
    write_key_file(tmp_path / "data" / "node.key", sha256(b"node"))
    return tmp_path / "data"


def prove(folder: Path, *words: str) -> Any:
    """Run ``shudian prove`` on a folder; its JSON."""
    out = folder.parent / "cli.proof"
    arguments = [words[0], "--data", str(folder), "--out", str(out), "--json", *words[1:]]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_prove_writes_what_verify_reads(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ("row", "governance.setting_rows", "governance.holidays_day", "", "20300101"),
        ("row", "kernel.clock"),
        ("row", "kernel.answers", "1"),
        ("message", ID.hex(), "--sender", "1"),
    ):
        made = prove(folder, *words)
        assert main([made["file"], "--trust", made["trust"]]) == YES
        assert Path(made["file"]).stat().st_size == made["bytes"]
    capsys.readouterr()
    made = prove(folder, "row", "governance.setting_rows", "governance.holidays_day", "", "20300101")
    assert made["rows"][0]["row"]["values"] == [20300101]
    assert made["proof"]["carrier"]["header"]["chain_id"] == "test"
    assert prove(folder, "row", "settlement.lines", "7")["rows"][0]["row"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("row", "funds.nothing", "1"), "funds.accounts"),
        (("row", "nothing.at.all", "1"), "kernel.clock"),
        (("row", "identity.persons", "1"), "member_id person_no"),
        (("row", "identity.members", "one"), "member_id should be an integer"),
        (("row", "identity.members", "text:1"), "member_id should be an integer"),
        (("row", "identity.keys", "00ff"), "public_key should be bytes"),
        (("message", "xyz", "--sender", "1"), "not hexadecimal"),
        (("statement-line", "1"), "no statement line 1"),
    ],
)
def test_prove_refuses_in_words(folder: Path, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError, match=said):
        prove(folder, *words)


def test_messages_are_listed_with_their_ids(folder: Path) -> None:
    done = CliRunner().invoke(app, ["messages", "--sender", "1", "--data", str(folder), "--json"])
    assert json.loads(done.stdout) == [{"id": ID.hex(), "kind": "SetSetting", "number": 0, "height": 1}]
