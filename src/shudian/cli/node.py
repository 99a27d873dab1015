"""``shudian node``: make a chain in a folder, see how it stands, back it up and restore it, seal its keys."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from shudian import KERNEL
from shudian.cli.commands import Commands
from shudian.cli.common import (
    BEIJING,
    DEFAULT_DATA,
    KEYS_FOLDER,
    NODE_KEY_FILE,
    DataOption,
    JsonOption,
    UserError,
    open_node,
    out,
    print_json,
    progress_of,
    refuse_file,
    say,
    secrets_of,
    show_time,
)
from shudian.cli.ledger import PublicLedger
from shudian.cli.passphrase import NoPassphraseOption, known_or_typed, new_passphrase, read_key
from shudian.client.keys import make_key_file, seal_key_file
from shudian.compiled import COMPILED
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.epochs import FIRST_EPOCH, NO_SECRETS, NodeSecrets
from shudian.kernel.machine import STEPPED, WALL, Machine
from shudian.market import MARKET
from shudian.node.backup import Label, back_up
from shudian.node.backup import restore as restore_backup
from shudian.node.embedded import EmbeddedNode
from shudian.node.folder import FolderInUseError
from shudian.node.folder import migrate as migrate_folder
from shudian.node.founding import SICHUAN_FOUNDERS, Founder, found
from shudian.node.genesis import Genesis
from shudian.node.snapshot import SnapshotLabel, next_block, take_snapshot
from shudian.node.snapshot import read_label as read_snapshot_label
from shudian.node.snapshot import start_from as start_from_snapshot
from shudian.node.store import LEDGER_FILE

app = Commands(
    no_args_is_help=True,
    help="节点：建链、状态、备份、恢复、快照、封存密钥。 Make a chain, see how it stands, back up, restore, snapshot, seal keys.",
)

_FOUNDER_FIELDS = ("kind", "name_zh", "name_en", "uscc")


class ClockMode(StrEnum):
    """What market time follows."""

    WALL_CLOCK = WALL
    STEPPED_CLOCK = STEPPED


@app.command("init")
def init(
    data: DataOption = DEFAULT_DATA,
    chain_id: Annotated[str, typer.Option(help="链标识 name of the chain")] = "shudian-1",
    clock: Annotated[
        ClockMode, typer.Option(help="市场时钟 market clock: wall, or stepped for a sandbox")
    ] = ClockMode.WALL_CLOCK,
    start: Annotated[
        str, typer.Option(help="步进时钟的起点 first market time of a stepped clock")
    ] = "2026-06-20T08:00",
    founders: Annotated[
        Path | None, typer.Option(help="创始成员 TOML 文件 institutions, see docs/operating.md")
    ] = None,
    no_passphrase: NoPassphraseOption = False,
) -> None:
    """在文件夹中建一条新链，为每个创始机构的每个角色生成密钥。 Make a new chain, with a key file for each role of each founder.

    密钥文件用口令封存（Argon2id）；口令在终端输入，或由 shudian --passphrase-fd N 给出。
    Key files are sealed under a passphrase (Argon2id), typed at the terminal or given by shudian --passphrase-fd N.
    """
    refuse_file(data)
    if (data / LEDGER_FILE).exists():
        raise UserError(
            f"文件夹 {data} 已有账本，不会覆盖", f"folder {data} already holds a ledger and is never overwritten"
        )
    institutions = SICHUAN_FOUNDERS if founders is None else read_founders(founders)
    start_ms = _start_ms(start)
    _try_genesis(found(chain_id, clock.value, start_ms, _trial_key, institutions))
    passphrase = None if no_passphrase else new_passphrase()
    node_key = make_key_file(data / NODE_KEY_FILE, passphrase)
    keys = {
        f"{founder.kind}-{role}": make_key_file(data / KEYS_FOLDER / f"{founder.kind}-{role}.key", passphrase)
        for founder in institutions
        for role in founder.roles
    }
    genesis = found(chain_id, clock.value, start_ms, lambda name: keys[name].public_key, institutions)
    EmbeddedNode.create(data, genesis, node_key).close()
    out.print(
        say(
            f"已在 {data} 建链 {chain_id}；密钥在 {data / KEYS_FOLDER}，请分发给各角色并妥善保管",
            f"chain {chain_id} is in {data}; the keys are in {data / KEYS_FOLDER}: hand them to their roles and keep them safe",
        ),
        soft_wrap=True,
    )
    if no_passphrase:
        warning = say(
            "注意：密钥文件未封存，谁读到谁就能签名；封存用 shudian node seal-key FILE",
            "warning: the key files are not sealed, whoever reads one can sign; seal each with shudian node seal-key FILE",
        )
        out.print(warning, style="yellow", soft_wrap=True)
    out.print(
        say("下一步：shudian node status，shudian member apply", "next: shudian node status, shudian member apply")
    )


def _trial_key(name: str) -> bytes:
    return SigningKey(sha256(name.encode())).public_key


def _try_genesis(genesis: Genesis) -> None:
    """Let the machine refuse a genesis that does not fit before any file is written."""
    secrets = NodeSecrets(SigningKey(sha256(b"trial")), genesis.chain_id)
    machine = Machine(MARKET, genesis.chain_id, lambda _digest: None, secrets)
    machine.genesis(genesis.clock, genesis.start_ms, genesis.sections, secrets.of(FIRST_EPOCH).public_key)


def _start_ms(text: str) -> int:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UserError(
            f"时间 {text} 应为 2026-06-20T08:00 的形式", f"time {text} should look like 2026-06-20T08:00"
        ) from None
    return int(moment.replace(tzinfo=moment.tzinfo or BEIJING).timestamp()) * 1000


def read_founders(path: Path) -> tuple[Founder, ...]:
    """The institutions of a TOML file: [[founder]] kind, name_zh, name_en, uscc; roles follow from the default of the kind.

    Raises:
        OSError: if the file cannot be read.
        UserError: if it is not TOML or an entry lacks a field.
    """
    roles = {founder.kind: founder.roles for founder in SICHUAN_FOUNDERS}
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("founder")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise UserError(f"{path} 不是 UTF-8 的 TOML 文件", f"{path} is not a TOML file in UTF-8") from None
    if not isinstance(entries, list):
        raise UserError(f"{path} 缺少 [[founder]]", f"{path} has no [[founder]]")
    return tuple(_founder(path, entry, roles) for entry in entries)


def _founder(path: Path, entry: Any, roles: Mapping[str, tuple[str, ...]]) -> Founder:
    for name in _FOUNDER_FIELDS:
        if not isinstance(entry, dict) or not isinstance(entry.get(name), str):
            raise UserError(f"{path} 的一个 founder 缺少文本 {name}", f"a founder of {path} lacks the text {name}")
    if entry["kind"] not in roles:
        kinds = " | ".join(roles)
        raise UserError(
            f"{path} 中的 kind = {entry['kind']} 应为 {kinds}", f"kind = {entry['kind']} in {path} must be {kinds}"
        )
    return Founder(entry["kind"], entry["name_zh"], entry["name_en"], entry["uscc"], roles[entry["kind"]])


@app.command("status")
def status(ledger: PublicLedger) -> None:
    """账本的高度、时间、状态根，并检查全部不变量。 Height, time and app hash; tests every invariant."""
    with open_node(ledger.data) as node:
        node.machine.check_all()
        facts = {
            "chain_id": node.genesis.chain_id,
            "clock": node.machine.clock_mode,
            "market_ms": node.market_ms,
            "height": node.height,
            "app_hash": node.app_hash.hex(),
            "invariants": "ok",
            "verifier": node.verifier.name,
            "kernel": KERNEL.name,
        }
        declined = node.verifier.declined
    if ledger.as_json:
        print_json(facts)
        return
    labels = {
        "chain_id": say("链", "chain"),
        "clock": say("时钟", "clock"),
        "market_ms": say("市场时间", "market time"),
        "height": say("高度", "height"),
        "app_hash": say("状态根", "app hash"),
        "invariants": say("不变量", "invariants"),
        "verifier": say("验签库", "verifier"),
        "kernel": say("内核", "kernel"),
    }
    for name, value in facts.items():
        shown = show_time(value) if name == "market_ms" and isinstance(value, int) else value
        out.print(f"{labels[name]:<12} {shown}", soft_wrap=True)
    for name, reason in declined:
        sentence = say(f"未用 {name}：{reason.zh}", f"not {name}: {reason.en}")
        out.print(sentence, style="dim", soft_wrap=True, markup=False)
    if KERNEL.name != COMPILED:
        out.print(
            say(f"内核未编译：{KERNEL.zh}", f"not compiled: {KERNEL.en}"), style="dim", soft_wrap=True, markup=False
        )


@app.command("seal-key")
def seal_key(file: Annotated[Path, typer.Argument(metavar="FILE", help="密钥文件 key file")]) -> None:
    """用新口令封存密钥文件；已封存的先以原口令打开。 Seal a key file under a new passphrase; a sealed one is opened with its old one first.

    用文件描述符时：第一行原口令（若已封存），最后一行新口令。 By file descriptor: the old passphrase first (if sealed), the new one last.
    """
    seal_key_file(file, known_or_typed, new_passphrase)
    out.print(say(f"已封存 {file}", f"{file} is sealed"), soft_wrap=True)


@app.command("backup")
def backup(
    ledger: PublicLedger,
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="新文件夹 a folder that does not exist yet")],
) -> None:
    """备份账本，节点可照常运行；不含任何私钥。 Back up the ledger, while the node may be running; no secret key is in it.

    有节点密钥时，状态各行与状态根核对；密钥已封存则需口令。 With the node's key in the folder all rows are tested against the app hash; a sealed one asks for its passphrase.
    """
    secrets = secrets_of(ledger.data)
    _print_label(
        back_up(ledger.data, destination, secrets),
        say(f"已备份到 {destination}", f"backed up to {destination}"),
        ledger.as_json,
    )
    if secrets is NO_SECRETS and not ledger.as_json:
        out.print(
            say(
                f"文件夹中没有 {NODE_KEY_FILE}：状态各行未与状态根核对",
                f"there is no {NODE_KEY_FILE} in the folder: the rows were not tested against the app hash",
            ),
            style="yellow",
            soft_wrap=True,
        )


@app.command("restore")
def restore(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="备份文件夹 folder of the backup")],
    data: Annotated[Path, typer.Option("--data", help="新的账本文件夹 new folder of the ledger")],
    as_json: JsonOption = False,
) -> None:
    """由备份建新的账本文件夹，并与其标签核对。 Make a new folder of a backup, tested against its label."""
    done = say(
        f"已恢复到 {data}；请放回 {NODE_KEY_FILE}，再运行 shudian verify {data}",
        f"restored to {data}; put {NODE_KEY_FILE} back, then run shudian verify {data}",
    )
    _print_label(restore_backup(source, data), done, as_json)


@app.command("snapshot")
def snapshot(
    ledger: PublicLedger,
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="新文件夹 a folder that does not exist yet")],
) -> None:
    """快照：最后的状态与查询库，不含历史；节点可照常运行。 The last state and the read models without history; the node may be running.

    快照需要下一区块的签名：节点在另一进程运行时等它出块，否则自行出一个空块。
    A snapshot needs the signature of the next block: it waits for a node that runs in another process, otherwise it makes an empty one.
    """
    with progress_of(say("快照", "snapshot")) as progress:
        try:
            with open_node(ledger.data) as node:
                label = take_snapshot(ledger.data, destination, node.block_after, progress)
        except FolderInUseError:
            label = take_snapshot(ledger.data, destination, lambda height: next_block(ledger.data, height), progress)
    _print_label(label, say(f"快照在 {destination}", f"the snapshot is in {destination}"), ledger.as_json)


@app.command("start-from")
def start_from(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="快照文件夹 folder of the snapshot")],
    node_key: Annotated[Path, typer.Option("--node-key", help="链的节点密钥 the chain's node key")],
    data: Annotated[Path, typer.Option("--data", help="新的账本文件夹 new folder of the ledger")],
    as_json: JsonOption = False,
) -> None:
    """由快照建新的账本文件夹，以签名的状态根核对；此前的历史不在其中。 Make a new folder of a snapshot, tested against the signed app hash; the history before it is not there."""
    key = read_key(node_key)
    secrets = NodeSecrets(key, read_snapshot_label(source).chain_id)
    with progress_of(say("核对快照", "testing the snapshot")) as progress:
        label = start_from_snapshot(source, data, key.public_key, secrets, progress)
    done = say(
        f"已在 {data} 由快照开始；请放回 {NODE_KEY_FILE}。区块 {label.first_height} 之前的历史不在这里",
        f"{data} starts from the snapshot; put {NODE_KEY_FILE} there. The history before block {label.first_height} is not here",
    )
    _print_label(label, done, as_json)


def _print_label(label: Label | SnapshotLabel, done: str, as_json: bool) -> None:
    if as_json:
        print_json(asdict(label))
        return
    out.print(done, soft_wrap=True)
    chain, height, app_hash = label.chain_id, label.height, label.app_hash
    if isinstance(label, SnapshotLabel):
        zh = f"链 {chain}，区块 {height} 之后的状态，状态根 {app_hash}"
        en = f"chain {chain}, the state after block {height}, app hash {app_hash}"
    else:
        zh = f"链 {chain}，区块 {height}，状态根 {app_hash}，已核对"
        en = f"chain {chain}, block {height}, app hash {app_hash}, tested"
    out.print(say(zh, en), soft_wrap=True)


@app.command("migrate")
def migrate(data: DataOption = DEFAULT_DATA) -> None:
    """把旧格式的账本文件改为本程序的格式，先留一份原样。 Bring a ledger file of an older layout up to date; a copy is kept as it was.

    节点启动时也会自动完成。 A node does the same when it starts.
    """
    kept = migrate_folder(data)
    if kept is None:
        out.print(say("账本文件已是本程序的格式", "the ledger file has this program's format already"))
        return
    out.print(
        say(f"已改为本程序的格式；原样留在 {kept}", f"brought up to date; as it was it is kept in {kept}"),
        soft_wrap=True,
    )
