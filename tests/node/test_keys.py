"""Key files: sealed, opened, raised to today's cost, sealed anew; and no secret shows up where it does not belong."""

import json
import logging
import os
import stat
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from shudian import cli
from shudian.cli import passphrase
from shudian.client import keys
from shudian.client.keys import (
    UNSEALED_MARK,
    Cost,
    KeyFileError,
    make_key_file,
    read_key_file,
    read_public_key,
    seal_key_file,
    write_key_file,
)
from shudian.kernel.crypto import SigningKey
from shudian.node.backup import back_up

CHEAP = Cost(1, 8_192)
DEARER = Cost(2, 16_384)
PASSPHRASE, OTHER = "蜀道难 correct horse", "another good passphrase"
SEED = bytes(range(32))
TODAY = keys.TODAY


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "TODAY", CHEAP)


def trying(*passphrases: str) -> keys.Passphrases:
    return lambda _path: [passphrase.encode() for passphrase in passphrases]


def sealed_file(folder: Path) -> Path:
    path = folder / "a.key"
    write_key_file(path, SEED, PASSPHRASE.encode())
    return path


def test_todays_cost_is_no_less_than_the_recommendation() -> None:
    """RFC 9106, section 4, second recommended option: 3 passes over 64 MiB."""
    assert not TODAY.is_below(Cost(3, 64 << 20))
    assert not keys.MOST.is_below(TODAY)


def test_a_sealed_key_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    path = sealed_file(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = SigningKey(SEED)
    assert read_key_file(path, trying("wrong", PASSPHRASE)).sign(b"x") == key.sign(b"x")
    assert read_public_key(path) == key.public_key
    with pytest.raises(KeyFileError, match="the passphrase does not open"):
        read_key_file(path, trying("wrong", PASSPHRASE + " "))
    with pytest.raises(KeyFileError, match="is sealed; its passphrase is needed"):
        read_key_file(path)
    with pytest.raises(KeyFileError, match="is never overwritten"):
        make_key_file(path)


def test_two_seals_of_one_seed_share_nothing(tmp_path: Path) -> None:
    write_key_file(tmp_path / "1", SEED, PASSPHRASE.encode())
    write_key_file(tmp_path / "2", SEED, PASSPHRASE.encode())
    first, second = (json.loads((tmp_path / name).read_text()) for name in "12")
    assert first["sealed_seed"] != second["sealed_seed"]
    assert first["argon2id"]["salt"] != second["argon2id"]["salt"]


def test_an_unsealed_file_says_so_and_stays_readable(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.key"
    write_key_file(path, SEED)
    assert path.read_text().startswith("# shudian unsealed key")
    assert read_key_file(path).public_key == read_public_key(path) == SigningKey(SEED).public_key
    path.write_text(SEED.hex() + "\n")  # as the first sandbox chains wrote them
    assert read_key_file(path).public_key == SigningKey(SEED).public_key


def test_use_raises_a_file_to_todays_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sealed_file(tmp_path)
    before = path.read_bytes()
    read_key_file(path, trying(PASSPHRASE))
    assert path.read_bytes() == before
    monkeypatch.setattr(keys, "TODAY", DEARER)
    read_key_file(path, trying(PASSPHRASE))
    after = json.loads(path.read_text())["argon2id"]
    assert Cost(after["passes_count"], after["memory_bytes"]) == DEARER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key_file(path, trying(PASSPHRASE)).public_key == SigningKey(SEED).public_key
    assert [found.name for found in tmp_path.iterdir()] == ["a.key"]


def test_a_file_that_cannot_be_raised_still_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = sealed_file(tmp_path)
    monkeypatch.setattr(keys, "TODAY", DEARER)

    def unwritable(*_args: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(keys, "_write_new", unwritable)
    assert read_key_file(path, trying(PASSPHRASE)).public_key == SigningKey(SEED).public_key
    assert "stays below today's cost: Read-only file system" in caplog.text
    with pytest.raises(KeyFileError, match="cannot be written: it is read-only"):
        seal_key_file(path, trying(PASSPHRASE), OTHER.encode)
    assert read_key_file(path, trying(PASSPHRASE)).public_key == SigningKey(SEED).public_key


def test_sealing_and_sealing_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    write_key_file(path, SEED)
    seal_key_file(path, trying(), PASSPHRASE.encode)
    seal_key_file(path, trying(PASSPHRASE), OTHER.encode)
    assert read_key_file(path, trying(OTHER)).public_key == SigningKey(SEED).public_key
    with pytest.raises(KeyFileError):
        read_key_file(path, trying(PASSPHRASE))
    with pytest.raises(KeyFileError):
        seal_key_file(path, trying(PASSPHRASE), PASSPHRASE.encode)
    assert SEED.hex() not in path.read_text()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"shudian_key": 2}, "is not a key file"),
        ({"sealed_seed": "00"}, "is not a key file"),
        ({"argon2id": {}}, "is not a key file"),
        ({"argon2id": {"passes_count": 0, "memory_bytes": 8_192, "salt": "00" * 16}}, "is not a key file"),
        ({"argon2id": {"passes_count": 1, "memory_bytes": 1 << 40, "salt": "00" * 16}}, "more Argon2id work"),
        ({"argon2id": {"passes_count": 1, "memory_bytes": 8_192, "salt": "00" * 16}}, "does not open"),
        ({"public_key": "00" * 32}, "does not open"),
    ],
)
def test_a_changed_file_is_refused(tmp_path: Path, change: dict[str, object], named: str) -> None:
    path = sealed_file(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(KeyFileError, match=named):
        read_key_file(path, trying(PASSPHRASE))


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 4_000, SEED.hex()[:-1], "00\n" + SEED.hex()])
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="is not a key file"):
        read_key_file(path, trying(PASSPHRASE))


def test_a_file_open_to_others_is_refused(tmp_path: Path) -> None:
    path = sealed_file(tmp_path)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_key_file(path, trying(PASSPHRASE))


# ------------------------------------------------------------------------------------------------- the command line


def run(*words: str, lines: tuple[str, ...] = ()) -> tuple[int, str]:
    """(exit code, all output) of a command, passphrases by a pipe."""
    reader, writer = os.pipe()
    os.write(writer, "".join(f"{line}\n" for line in lines).encode())
    os.close(writer)
    given = ["--passphrase-fd", str(reader)] if lines else []
    result = CliRunner().invoke(cli.app, [*given, *words])
    if not lines:
        os.close(reader)
    error = result.exception
    said = "".join(traceback.format_exception(error)) if error and not isinstance(error, SystemExit) else ""
    return result.exit_code, result.output + said


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    code, output = run("node", "init", "--data", str(tmp_path / "chain"), lines=(PASSPHRASE,))
    assert code == 0, output
    return tmp_path / "chain"


def test_init_seals_every_key_and_status_asks(chain: Path) -> None:
    for path in (chain / "node.key", *(chain / "keys").iterdir()):
        assert json.loads(path.read_text())["shudian_key"] == 1
    assert run("node", "status", "--data", str(chain), lines=(PASSPHRASE,))[0] == 0
    for lines, named in (((OTHER,), "does not open key file"), ((), "is sealed: run at a terminal")):
        code, output = run("node", "status", "--data", str(chain), lines=lines)
        assert code != 0
        assert named in output


def test_init_needs_a_passphrase_or_a_clear_no(tmp_path: Path) -> None:
    for lines, named in (((), "a passphrase is needed"), (("short",), "at least 12 characters")):
        code, output = run("node", "init", "--data", str(tmp_path / "chain"), lines=lines)
        assert code != 0
        assert named in output
        assert not (tmp_path / "chain").exists()
    code, output = run("node", "init", "--data", str(tmp_path / "chain"), "--no-passphrase")
    assert code == 0
    assert "未封存" in output
    assert run("node", "status", "--data", str(tmp_path / "chain"))[0] == 0


def test_a_key_gets_a_passphrase_of_its_owner(chain: Path) -> None:
    key = str(chain / "keys" / "bank-teller.key")
    assert run("node", "seal-key", key, lines=(PASSPHRASE, OTHER))[0] == 0
    status = ("statement", "list", "--data", str(chain), "--key", key)
    assert run(*status, lines=(PASSPHRASE,))[0] != 0
    assert run(*status, lines=(PASSPHRASE, OTHER))[0] == 0, "two files, two passphrases, in any order"


APPLY = (
    *(
        "member",
        "apply",
        "--kind",
        "generator",
        "--name-zh",
        "青衣水电有限公司",
        "--name-en",
        "Qingyi Hydropower Co. Ltd.",
    ),
    *("--uscc", "91510000MA6C000050", "--person", "11010519491231002X"),
)


def test_the_key_of_an_applicant_is_sealed(chain: Path, tmp_path: Path) -> None:
    licence, key = tmp_path / "licence.txt", tmp_path / "new.key"
    licence.write_text("licence")
    line = (*APPLY, "--data", str(chain), "--key-file", str(key), "--document", f"business_licence={licence}")
    code, output = run(*line)
    assert code != 0
    assert "a passphrase is needed" in output
    assert not key.exists()
    code, output = run(*line, lines=(PASSPHRASE, OTHER))
    assert code == 0, output
    read_key_file(key, trying(OTHER))
    with pytest.raises(KeyFileError, match="does not open"):
        read_key_file(key, trying(PASSPHRASE))


@pytest.mark.parametrize("more", [(), ("--no-passphrase",)])
def test_the_key_of_a_new_person_is_sealed_unless_a_clear_no(
    chain: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    key, admin = tmp_path / "person.key", str(chain / "keys" / "exchange-admin.key")
    line = (
        "member",
        "add-person",
        "--role",
        "reviewer",
        "--person",
        "11010519491231002X",
        "--key-file",
        str(key),
        *more,
    )
    code, output = run(*line, "--data", str(chain), "--key", admin, lines=(PASSPHRASE, OTHER))
    assert code == 0, output
    assert key.read_text().startswith(UNSEALED_MARK) is bool(more)
    read_key_file(key, None if more else trying(OTHER))


def test_a_lost_admin_key_is_replaced_from_the_command_line(chain: Path, tmp_path: Path) -> None:
    data, second, new = ("--data", str(chain)), tmp_path / "second.key", tmp_path / "new.key"
    papers = tmp_path / "papers"
    papers.write_text("a letter with a seal")
    admin, reviewer = (str(chain / "keys" / f"exchange-{role}.key") for role in ("admin", "reviewer"))
    line = ("member", "add-person", "--role", "reviewer", "--person", "1", "--key-file", str(second), *data)
    assert run(*line, "--key", admin, lines=(PASSPHRASE,))[0] == 0
    code, output = run("member", "new-key", str(new), "--person", "2", "--json", lines=(OTHER,))
    assert code == 0, output
    made = json.loads(output)
    assert made["public_key"] == read_public_key(new).hex()
    bank = json.loads(run("member", "list", "--kind", "bank", *data, "--json", lines=(PASSPHRASE,))[1])[0]["member_id"]
    auditor = ("--key", str(chain / "keys" / "regulator-officer.key"))
    bank_admin = str(chain / "keys" / "bank-admin.key")
    persons = json.loads(run("member", "persons", *data, "--key", bank_admin, "--json", lines=(PASSPHRASE,))[1])
    (lost,) = (one["person_no"] for one in persons if one["roles"] == "admin")
    change = ("--public-key", made["public_key"], "--person-digest", made["person_digest"], "--evidence", str(papers))
    papered = (*change, "--reason", "密钥遗失", *data, "--key", reviewer)
    replacing = ("member", "replace-admin", str(bank), str(lost), *papered)
    code, output = run(*replacing, lines=(PASSPHRASE,))
    assert code != 0
    assert "3010" in output
    code, output = run(*replacing, "--key", str(second), lines=(PASSPHRASE,))
    assert code == 0, output
    told = json.loads(run("member", "replaced-admins", *data, "--json", lines=(PASSPHRASE,))[1])
    assert [(one["member_id"], one["old_person_no"]) for one in told] == [(bank, lost)]
    teller = ("--role", "teller", "--person", "3", "--key-file", str(tmp_path / "teller.key"))
    adding = ("member", "add-person", *teller, *data)
    assert "3007" in run(*adding, "--key", bank_admin, lines=(PASSPHRASE,))[1]
    assert run(*adding, "--key", str(new), lines=(PASSPHRASE, OTHER))[0] == 0
    code, output = run("message", "timeline", f"member:{bank}", *data, *auditor, lines=(PASSPHRASE,))
    assert "管理员已由审核方更换" in output


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, *typed: str) -> list[str]:
    """Somebody types these lines; returns the prompts as they come."""
    prompts: list[str] = []
    lines = iter(typed)

    def ask(prompt: str, _stream: object) -> str:
        prompts.append(prompt)
        return next(lines)

    monkeypatch.setattr(passphrase, "_Known", type("Nothing", (), {"passphrases": (), "is_from_descriptor": False}))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("getpass.getpass", ask)
    return prompts


def test_a_terminal_is_asked_once_for_files_of_one_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = sealed_file(tmp_path), tmp_path / "b.key"
    write_key_file(second, SEED, PASSPHRASE.encode())
    prompts = at_a_terminal(monkeypatch, "mistyped passphrase", PASSPHRASE)
    assert passphrase.read_key(first).public_key == passphrase.read_key(second).public_key
    assert prompts == [f"口令 passphrase ({first}): "] * 2
    prompts = at_a_terminal(monkeypatch, *["wrong"] * 3)
    with pytest.raises(KeyFileError, match="does not open"):
        passphrase.read_key(first)
    assert len(prompts) == 3


def test_a_new_passphrase_is_typed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sealed_file(tmp_path)
    at_a_terminal(monkeypatch, PASSPHRASE, OTHER, OTHER)
    seal_key_file(path, passphrase.known_or_typed, passphrase.new_passphrase)
    assert read_key_file(path, trying(OTHER)).public_key == SigningKey(SEED).public_key
    at_a_terminal(monkeypatch, OTHER, PASSPHRASE, OTHER)
    with pytest.raises(KeyFileError, match="the two passphrases differ"):
        seal_key_file(path, passphrase.known_or_typed, passphrase.new_passphrase)


def test_a_closed_descriptor_is_refused(chain: Path) -> None:
    result = CliRunner().invoke(cli.app, ["--passphrase-fd", "77", "node", "status", "--data", str(chain)])
    assert result.exit_code != 0
    assert "no passphrase can be read from file descriptor 77" in str(result.exception)


def commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{path} {name}".strip())


def test_no_option_and_no_variable_carries_a_secret() -> None:
    """Arguments and environment can be read by others: only a descriptor's number and a plain no may stand there."""
    suspicious = {
        (path, parameter.name): parameter.envvar
        for path, command in commands(typer.main.get_command(cli.app))
        for parameter in command.params
        if any(word in parameter.name for word in ("pass", "secret", "seed"))
    }
    assert suspicious == {
        ("", "passphrase_fd"): None,
        ("node init", "no_passphrase"): None,
        ("epoch accept", "no_passphrase"): None,
        ("member apply", "no_passphrase"): None,
        ("member add-person", "no_passphrase"): None,
        ("member new-key", "no_passphrase"): None,
        ("demo", "seed"): None,
        ("simulate", "seed"): None,
    }


def test_secrets_appear_nowhere(chain: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Outputs, errors with their traces, logs, the data folder and a backup: no seed, no passphrase, in any plain form."""
    caplog.set_level(logging.DEBUG)
    key = str(chain / "keys" / "exchange-operator.key")
    said = [
        run("node", "status", "--data", str(chain), lines=(PASSPHRASE,))[1],
        run("node", "status", "--data", str(chain), "--json", lines=(PASSPHRASE,))[1],
        run("node", "status", "--data", str(chain), lines=(OTHER,))[1],
        run("message", "say", "SetSetting", "{}", "--data", str(chain), "--key", key, lines=(PASSPHRASE,))[1],
        run("node", "seal-key", key, lines=(OTHER, PASSPHRASE))[1],
        run("node", "backup", str(tmp_path / "backup"), "--data", str(chain))[1],
    ]
    seeds = [read_key_file(path, trying(PASSPHRASE))._secret[:32] for path in (chain / "node.key", Path(key))]
    said += [repr(read_key_file(Path(key), trying(PASSPHRASE))), caplog.text]
    held = [
        path.read_bytes() for folder in (chain, tmp_path / "backup") for path in folder.rglob("*") if path.is_file()
    ]
    everything = b"\n".join([*held, *(text.encode() for text in said)])
    secrets = [PASSPHRASE.encode(), OTHER.encode(), *seeds, *(seed.hex().encode() for seed in seeds)]
    assert not [secret for secret in secrets if secret in everything]
    assert back_up(chain, tmp_path / "again").node_public_key.encode() in everything, (
        "the search does find what is there"
    )
