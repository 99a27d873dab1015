"""Blinding over a change of epochs: each row's leaf is under the epoch of the block that wrote it, also after a reload."""

import pytest

from shudian.kernel.blinding import row_blind
from shudian.kernel.codec import encode
from shudian.kernel.contract import Context
from shudian.kernel.epochs import HeldSecrets, SecretMissing, Secrets
from shudian.kernel.machine import Machine, rotate_epoch
from shudian.kernel.merkle import row_leaf, row_path
from shudian.kernel.tables import Key, encode_key
from tests.support.ledger import CHAIN_ID, SECRETS, Ledger
from tests.unit.test_kernel_machine import CONTRACT, AddCoins


@pytest.fixture
def ledger() -> Ledger:
    """A jar is filled in block 1 and again in block 3; in block 2 epoch 2 is made."""
    made = Ledger([CONTRACT])
    made.done(1, AddCoins(5))
    machine = made.machine
    rotate_epoch(
        Context(machine.store, machine.cold, machine.market, made.now_ms, [], height=2), SECRETS.of(2).public_key
    )
    made.apply()
    made.done(1, AddCoins(1))
    return made


def leaf(machine: Machine, table: str, key: Key) -> bytes:
    bucket, _ = machine.roots.beside(table, key)
    return dict(bucket)[row_path(table, encode_key(key))]


def test_a_row_is_blinded_under_the_epoch_of_the_block_that_wrote_it(ledger: Ledger) -> None:
    answered = sorted(ledger.machine.store.rows["kernel.answers"].versions.items(), key=lambda one: one[1])
    (first, _), (second, _) = answered
    for table, key, epoch_no, height in (
        ("kernel.answers", first, 1, 1),
        ("kernel.epochs", (1,), 1, 0),
        ("kernel.epochs", (2,), 1, 2),
        ("kernel.answers", second, 2, 3),
        ("jar.jars", (1,), 2, 3),
    ):
        held = ledger.machine.store.rows[table]
        assert held.versions[key] == height
        blind = row_blind(SECRETS.of(epoch_no).state_key, row_path(table, encode_key(key)), height)
        assert leaf(ledger.machine, table, key) == row_leaf(blind, height, encode(held.data[key]))


def reloaded(ledger: Ledger, secrets: Secrets) -> bytes:
    rows = [
        (table, encode_key(key), encode(row), held.versions[key])
        for table, held in ledger.machine.store.rows.items()
        for key, row in held.data.items()
    ]
    machine = Machine(ledger.machine.market, CHAIN_ID, ledger.blobs.get, secrets)
    return machine.load(ledger.machine.height, rows)


def test_the_state_is_rebuilt_with_the_secrets_of_all_its_epochs_and_no_fewer(ledger: Ledger) -> None:
    roots = {epoch_no: SECRETS.root(epoch_no) for epoch_no in (1, 2)}
    assert reloaded(ledger, SECRETS) == reloaded(ledger, HeldSecrets(roots)) == ledger.machine.roots.app_hash()
    assert reloaded(ledger, HeldSecrets({1: roots[1], 2: roots[1]})) != ledger.machine.roots.app_hash()
    for epoch_no in (1, 2):
        with pytest.raises(SecretMissing):
            reloaded(ledger, HeldSecrets({epoch_no: roots[epoch_no]}))
