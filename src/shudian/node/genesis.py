"""Genesis: what a chain starts from, kept in the ledger and never changed."""

import json
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from shudian.faults import file_words
from shudian.node.errors import NodeError

SICHUAN_2026 = "sichuan2026"


@dataclass(frozen=True)
class Genesis:
    """The first facts of a chain. clock: wall or stepped. start_ms: first market time. sections: per contract.

    epoch_public_key: of the first epoch, in hex; empty until the node that makes the chain has put its own.
    """

    chain_id: str
    clock: str
    start_ms: int
    sections: dict[str, Any]
    epoch_public_key: str = ""

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return json.dumps(self.__dict__, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Genesis":
        """The genesis of its bytes.

        Raises:
            NodeError: if they are not a genesis.
        """
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError) as error:
            raise NodeError(
                f"创世数据无法读取：{file_words(error)[0]}", f"the genesis cannot be read: {file_words(error)[1]}"
            ) from None


def default_settings(name: str = SICHUAN_2026) -> list[dict[str, Any]]:
    """The dated settings that ship with the product, one TOML file per contract, with their sources."""
    folder = resources.files("shudian") / "genesis" / name
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return [entry for file in files for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("setting", [])]
