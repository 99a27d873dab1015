"""Epochs of a chain on disk: rotated, handed out, accepted, verified with and without the secrets; and no secret where it does not belong."""

import base64
import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from shudian import cli
from shudian.cli.common import UserError
from shudian.cli.verify import PARTLY
from shudian.client.client import Client
from shudian.client.keys import write_key_file
from shudian.contracts.governance.messages import AdvanceClock
from shudian.contracts.governance.messages_epochs import RotateEpoch
from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import AgreementKey, sha256
from shudian.kernel.envelope import Envelope, message_key
from shudian.kernel.epochs import NO_SECRETS, HeldSecrets, NodeSecrets
from shudian.kernel.merkle import merkle_root
from shudian.kernel.outcomes import Refused
from shudian.node.backup import back_up
from shudian.node.blocks import precommit_bytes
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.founding import found
from shudian.node.local import LocalTransport
from shudian.node.prove import prove_message
from shudian.node.store import LedgerStore
from shudian.node.verify import verify_folder
from shudian.proofs.files import to_bytes
from tests.support.chain import EXCHANGE_ID, create, founder, key_of, reopen
from tests.support.ledger import SECRETS

OPERATOR, AUDITOR = "exchange-operator", "auditor"
SECRET_WORDS = "only members may read this"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EmbeddedNode]:
    with closing(create(tmp_path / "chain")) as made:
        yield made


def rotate(node: EmbeddedNode) -> int:
    return int(founder(node, OPERATOR).submit(RotateEpoch(node.next_epoch.public_key)).epoch_no)


def step(node: EmbeddedNode) -> None:
    founder(node, OPERATOR).submit(AdvanceClock(node.market_ms + 1_000))


def test_a_message_on_its_way_survives_a_rotation(node: EmbeddedNode) -> None:
    operator = founder(node, OPERATOR)
    on_its_way = operator.seal([AdvanceClock(node.market_ms + 1_000)])
    assert (rotate(node), node.epoch.epoch_no) == (2, 2)
    assert node.submit([on_its_way])[0][0].done
    too_late = operator.seal([AdvanceClock(node.market_ms + 1_000)])
    assert (rotate(node), rotate(node)) == (3, 4)
    assert node.submit([too_late])[0][0].number == 1015
    step(node)
    node.close()
    with closing(reopen(node.folder)) as again:
        step(again)
        assert again.epoch.epoch_no == 4
    assert verify_folder(node.folder, SECRETS).missing_epoch_no == 0


def test_an_epoch_that_the_node_cannot_open_is_passed_over(node: EmbeddedNode) -> None:
    founder(node, OPERATOR).submit(RotateEpoch(AgreementKey(bytes(range(32))).public_key))
    assert node.epoch.epoch_no == 1
    assert rotate(node) == 3
    assert node.epoch.epoch_no == 3


def test_a_member_reopens_its_own_with_its_key_alone(node: EmbeddedNode) -> None:
    operator = founder(node, OPERATOR)
    message_id = bytes(range(16))
    operator.submit(AdvanceClock(node.market_ms + 1_000), message_id=message_id)
    rotate(node)
    data = LocalTransport(node).envelope(EXCHANGE_ID, message_id)
    (said,) = operator.reopen(data)
    assert isinstance(said, AdvanceClock)
    for other in (founder(node, "exchange-admin"), founder(node, "bank-teller")):
        with pytest.raises(Refused) as caught:
            other.reopen(data)
        assert caught.value.refusal.number == 1014


def test_verify_without_secrets_tests_what_can_be_tested(node: EmbeddedNode) -> None:
    step(node)
    rotate(node)
    step(node)
    height, folder = node.height, node.folder
    node.close()
    whole = verify_folder(folder, SECRETS)
    assert (whole.height, whole.executed_height, whole.missing_epoch_no) == (height, height, 0)
    nothing = verify_folder(folder, NO_SECRETS)
    assert (nothing.height, nothing.executed_height, nothing.missing_epoch_no) == (height, -1, 1)
    partly = verify_folder(folder, HeldSecrets({1: SECRETS.root(1)}))
    assert (partly.height, partly.executed_height, partly.missing_epoch_no) == (height, height - 1, 2)
    both = verify_folder(folder, HeldSecrets({no: SECRETS.root(no) for no in (1, 2)}))
    assert both == whole
    with pytest.raises(NodeError, match="does not belong to this ledger"):
        verify_folder(folder, NodeSecrets(key_of("another node"), "test"))


def test_a_forged_signature_is_found_without_any_secret(node: EmbeddedNode) -> None:
    """The node itself forges a member's envelope in its last block: only the member's signature tells."""
    step(node)
    height, folder = node.height, node.folder
    block = node.block(height)
    envelope = decode(block.envelopes[0], Envelope)
    forged = encode(replace(envelope, body=envelope.body[:-1] + bytes([envelope.body[-1] ^ 1])))
    node._store.close()
    before = LedgerStore(folder)
    header = replace(block.header, data_hash=merkle_root([sha256(forged)]))
    signature = key_of("node").sign(precommit_bytes(header))
    changed = encode(replace(block, envelopes=(forged,), header=header, signature=signature))
    before._db.execute("UPDATE blocks SET block = ?, digest = ? WHERE height = ?", (changed, sha256(changed), height))
    before.close()
    with pytest.raises(NodeError, match="a wrong form or signature"):
        verify_folder(folder, NO_SECRETS)


def run(*words: object) -> Any:
    return CliRunner().invoke(cli.app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A chain of two epochs with its key files, nobody on it."""
    with closing(create(tmp_path / "chain")) as made:
        step(made)
        rotate(made)
        step(made)
    write_key_file(tmp_path / "chain" / "node.key", sha256(b"node"))
    for name in (OPERATOR, AUDITOR, "bank-teller"):
        write_key_file(tmp_path / f"{name}.key", sha256(name.encode()))
    return tmp_path


def test_an_epoch_goes_to_an_auditor_who_verifies_without_the_nodes_key(folder: Path) -> None:
    chain, copy = folder / "chain", folder / "copy"
    own = json.loads(run("epoch", "my-key", "--key", folder / "auditor.key", "--json").stdout)["key"]
    assert own == key_of(AUDITOR).sealing.public_key.hex()
    for no in (1, 2):
        words = ("--epoch", no, "--to", own, "--out", folder / f"{no}.handed")
        done = run("epoch", "hand-out", *words, "--data", chain, "--key", folder / f"{OPERATOR}.key", "--json")
        told = json.loads(done.stdout)
        assert told["file_digest"] == sha256((folder / f"{no}.handed").read_bytes()).hex()
        shown = base64.b64encode(bytes.fromhex(told["file_digest"])).decode()
        assert shown in run("message", "timeline", f"epoch:{no}", "--data", chain, "--json").stdout
    copy.mkdir()
    shutil.copy(chain / "ledger.db", copy)
    assert len(json.loads(run("epoch", "show", "--data", copy, "--json").stdout)) == 2
    for no in (1, 2):
        taking = ("--key", folder / "auditor.key", "--out", folder / f"{no}.key", "--data", copy, "--no-passphrase")
        assert run("epoch", "accept", folder / f"{no}.handed", *taking).exit_code == 0
        assert (folder / f"{no}.key").stat().st_mode & 0o777 == 0o600
    partly = run("verify", copy)
    assert partly.exit_code == PARTLY
    assert "部分核对" in partly.stdout
    keys = [word for no in (1, 2) for word in ("--epoch-key", folder / f"{no}.key")]
    assert run("verify", copy, *keys[:2]).exit_code == PARTLY
    whole = run("verify", copy, *keys, "--json")
    assert (whole.exit_code, json.loads(whole.stdout)["verified"]) == (0, True)


def test_what_was_handed_out_is_for_its_recipient_and_chain(folder: Path) -> None:
    chain = folder / "chain"
    own = key_of(AUDITOR).sealing.public_key.hex()
    words = ("--epoch", 1, "--to", own, "--out", folder / "1.handed", "--data", chain)
    run("epoch", "hand-out", *words, "--key", folder / f"{OPERATOR}.key")
    taking = ("epoch", "accept", folder / "1.handed", "--out", folder / "1.key", "--no-passphrase")
    for key, data, words_of in (("bank-teller", "chain", "another key"), (AUDITOR, "other", "another chain")):
        if data == "other":
            genesis = found("other", "stepped", 0, lambda name: key_of(name).public_key)
            EmbeddedNode.create(folder / "other", genesis, key_of("node")).close()
        with pytest.raises(Exception, match=words_of):
            run(*taking, "--key", folder / f"{key}.key", "--data", folder / data)
    assert not (folder / "1.key").exists()
    lost = ("--epoch", 1, "--to", own, "--out", folder / "nowhere" / "1.handed", "--data", chain)
    with pytest.raises(UserError, match=r"the handing out of epoch 1 is on record, but .* cannot be written"):
        run("epoch", "hand-out", *lost, "--key", folder / f"{OPERATOR}.key")
    with pytest.raises(UserError, match="never overwritten"):
        run("epoch", "hand-out", *words, "--key", folder / f"{OPERATOR}.key")
    for no in (3, 9):
        with pytest.raises(Exception, match="2008"):
            run(
                "epoch",
                "hand-out",
                "--epoch",
                no,
                *words[2:4],
                "--out",
                folder / "no",
                "--data",
                chain,
                "--key",
                folder / f"{OPERATOR}.key",
            )
    assert not (folder / "no").exists()


def test_the_commands_rotate_and_reopen(folder: Path) -> None:
    chain, key = folder / "chain", folder / f"{OPERATOR}.key"
    done = run("epoch", "rotate", "--data", chain, "--key", key, "--json")
    assert json.loads(done.stdout) == {"epoch_no": 3}
    mine = json.loads(run("message", "mine", "--data", chain, "--key", key, "--json").stdout)
    message_id = next(row["id"] for row in mine if row["kind"] == "RotateEpoch")
    opened = json.loads(run("message", "open", message_id, "--data", chain, "--key", key, "--json").stdout)
    assert [one["message"] for one in opened] == ["RotateEpoch"]


def spellings(secret: bytes) -> list[bytes]:
    return [
        secret,
        secret.hex().encode(),
        secret.hex().upper().encode(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
        repr(secret)[2:-1].encode(),
    ]


def test_no_secret_is_where_it_does_not_belong(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of seeds, roots, state keys, sealing keys and other messages' keys: none in ledger, read models, backup, proof, log or error."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    with closing(create(tmp_path / "chain")) as node:
        operator = founder(node, OPERATOR)
        first, second = bytes(16), bytes([1]) * 16
        for message_id in (first, second):
            operator.submit(AdvanceClock(node.market_ms + 1_000), message_id=message_id)
        rotate(node)
        for wrong in (b"", b"\xc1" * 50, operator.seal([AdvanceClock(0)]), operator.seal([])):
            shown += [repr(one) for one in node.submit([wrong])]
        with pytest.raises(Refused) as caught:
            Client(LocalTransport(node), 1, [key_of("stranger")]).reopen(LocalTransport(node).envelope(1, first))
        shown += [repr(caught.value), str(caught.value), repr(node.machine.secrets.of(1)), repr(operator.keys)]
        proof = to_bytes(prove_message(node, EXCHANGE_ID, first))
        envelopes = [decode(LocalTransport(node).envelope(EXCHANGE_ID, one), Envelope) for one in (first, second)]
    back_up(tmp_path / "chain", tmp_path / "backup", SECRETS)
    keys = [message_key(one, SECRETS.of(1).agreement, one.sealer_key) or b"" for one in envelopes]
    assert keys[0] in proof, "its own key opens what a proof shows"
    signers = [key_of(name) for name in ("node", OPERATOR, "stranger")]
    secrets = [
        keys[1],
        *(key._secret[:32] for key in signers),
        *(key.derive(b"shudian/sealing") for key in signers),
        *(SECRETS.root(no) for no in (1, 2, 3)),
        *(SECRETS.of(no).state_key for no in (1, 2, 3)),
    ]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"ledger.db", "reading.db", "backup.json"}
    held = b"\n".join([*(path.read_bytes() for path in files), proof, caplog.text.encode(), "\n".join(shown).encode()])
    assert key_of("node").public_key in held
    for secret in (*secrets, keys[0]):
        for spelling in spellings(secret):
            assert spelling not in (held if secret != keys[0] else held.replace(proof, b""))


def test_what_members_say_is_not_in_clear_in_the_log(tmp_path: Path) -> None:
    """The blocks' envelopes carry no word of it; rows and events of the node's own file do, see docs/ledger.md."""
    with closing(create(tmp_path / "chain")) as node:
        operator = founder(node, OPERATOR)
        step(node)
        data = operator.seal([AdvanceClock(node.market_ms + 1_000)])
        assert b"AdvanceClock" not in data
        assert encode([AdvanceClock(node.market_ms + 1_000)]) not in data
        assert all(b"AdvanceClock" not in one for one in node.block(node.height).envelopes)
