"""The sandbox market as one call: make or reopen the chain, play the month, sum it up."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from shudian.client.keys import write_key_file
from shudian.kernel.crypto import SigningKey
from shudian.kernel.machine import STEPPED
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.founding import found
from shudian.node.local import LocalTransport
from shudian.node.store import LEDGER_FILE
from shudian.sandbox.world import World, build_world
from shudian.tools.demo.runner import Told, play
from shudian.tools.demo.stage import FOUNDER_ROLES, MEMBER_ROLES, Stage, founders, seed_of
from shudian.tools.demo.story import CHAIN_ID, START_MS
from shudian.tools.demo.summary import Summary, summarise

NODE_KEY = "node"
SANDBOX_MARK = "sandbox"


@dataclass(frozen=True)
class Played:
    """A sandbox month that ran to its end; the node is still open and is the caller's to close."""

    node: EmbeddedNode
    stage: Stage
    summary: Summary


def chain_id_of(world: World) -> str:
    """The chain's name tells seed and days, so that a folder is only continued with its own world."""
    return f"{CHAIN_ID}-{world.seed}-{world.days}"


def open_sandbox(folder: Path, world: World) -> EmbeddedNode:
    """The sandbox chain of a folder, made if the folder has no ledger.

    Raises:
        NodeError: if the folder holds another chain.
    """
    node_key = SigningKey(seed_of(world.seed, NODE_KEY))
    chain_id, mark = chain_id_of(world), folder / SANDBOX_MARK
    if not (folder / LEDGER_FILE).exists():
        _write_keys(folder, world)
        mark.write_text(chain_id, encoding="utf-8")
        genesis = found(chain_id, STEPPED, START_MS, lambda name: _founder_key(world, name), founders(world))
        return EmbeddedNode.create(folder, genesis, node_key)
    held = mark.read_text(encoding="utf-8") if mark.exists() else "?"
    if held != chain_id:
        raise NodeError(
            f"文件夹 {folder} 里是另一条链 {held}，请换文件夹或用 --fresh",
            f"folder {folder} holds another chain, {held}; choose another folder or --fresh",
        )
    return EmbeddedNode.open(folder, node_key)


def _founder_key(world: World, name: str) -> bytes:
    """``exchange-operator`` as found() asks, by the company that plays the kind."""
    kind, _, role = name.rpartition("-")
    company = next(
        founder_key for founder_key, one in zip(FOUNDER_ROLES, founders(world), strict=True) if one.kind == kind
    )
    return SigningKey(seed_of(world.seed, f"{company}-{role}")).public_key


def _write_keys(folder: Path, world: World) -> None:
    """Key files of everybody, so that a reader can act as anyone in the sandbox."""
    write_key_file(folder / "node.key", seed_of(world.seed, NODE_KEY))
    for company in world.companies:
        for role in FOUNDER_ROLES.get(company.key, MEMBER_ROLES):
            name = f"{company.key}-{role}"
            write_key_file(folder / "keys" / f"{name}.key", seed_of(world.seed, name))


def clear_sandbox(folder: Path) -> None:
    """Remove a sandbox chain's folder; any other folder is left alone.

    Raises:
        NodeError: if the folder holds something else.
    """
    if not folder.exists():
        return
    ledger = folder / LEDGER_FILE
    if not ledger.exists() or not (folder / SANDBOX_MARK).exists():
        raise NodeError(
            f"文件夹 {folder} 不是沙盒链，不会删除", f"folder {folder} is no sandbox chain and is not removed"
        )
    shutil.rmtree(folder)


def run_sandbox(folder: Path, seed: int, days: int, told: Told = lambda *_: None) -> Played:
    """Play the sandbox month in a folder, or go on where it stopped."""
    started = time.monotonic()
    world = build_world(seed, days)
    node = open_sandbox(folder, world)
    try:
        stage = play(world, LocalTransport(node), told)
        summary = summarise(node, round(time.monotonic() - started))
    except BaseException:
        node.close()
        raise
    return Played(node, stage, summary)
