"""Imports look only down, and nobody looks behind a wall; each wall is proved by an import that breaks it."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.source import PACKAGE, REPOSITORY, Module, modules
from tests.support.walls import CRYPTO_MODULE, ROOMS, breaches

FOLDERS = ("identity", "funds")
KINDS = ("messages", "state", "rules", "rules_orders", "views", "pages")


def house(importer: str, statement: str) -> list[Module]:
    """A house of empty rooms and two contracts, with one import in it."""
    names = [
        *("shudian.kernel.units", CRYPTO_MODULE, "shudian.clearing.auction", "shudian.reading.projector"),
        *("shudian.proofs.verify", "shudian.market", "shudian.node.embedded", "shudian.client.keys"),
        *("shudian.gateway.api", "shudian.sandbox.world", "shudian.tools.demo", "shudian.cli", "shudian.__main__"),
        "shudian.contracts.roles",
        *(f"shudian.contracts.{folder}.{kind}" for folder in FOLDERS for kind in KINDS),
    ]
    texts = dict.fromkeys(names, "") | {importer: statement}
    packages = [
        Module(f"shudian.contracts.{folder}", f"{folder}/__init__.py", "", is_package=True) for folder in FOLDERS
    ]
    return [*packages, *(Module(name, f"{name}.py", text) for name, text in texts.items())]


def test_no_wall_of_the_product_is_broken() -> None:
    found = [str(finding) for finding in breaches(modules())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("kernel.units", "import shudian.clearing.auction"),
        ("clearing.auction", "from shudian.reading import projector"),
        ("reading.projector", "import shudian.contracts.funds.messages"),
        ("market", "import shudian.clearing.auction"),
        ("node.embedded", "import shudian.client.keys"),
        ("node.embedded", "from shudian.contracts.funds import messages"),
        ("client.keys", "import shudian.node.embedded"),
        ("client.keys", "import shudian.reading.projector"),
        ("gateway.api", "import shudian.contracts.funds.messages"),
        ("sandbox.world", "import shudian.client.keys"),
        ("__main__", "import shudian.tools.demo"),
        ("contracts.funds.rules", "from shudian.reading.projector import Projector"),
        ("contracts.roles", "import shudian.contracts.funds.views"),
        # the files of a folder, lowest first
        ("contracts.funds.messages", "from shudian.contracts.funds.state import ACCOUNTS"),
        ("contracts.funds.messages", "from shudian.contracts.funds import rules"),
        ("contracts.funds.state", "from shudian.contracts.funds.rules import pay"),
        ("contracts.funds.rules", "from shudian.contracts.funds.views import balances"),
        ("contracts.funds.rules_orders", "from . import views"),
        ("contracts.funds.views", "from shudian.contracts.funds.state import ACCOUNTS"),
        ("contracts.funds.views", "from .pages import page"),
        # another contract's private state
        ("contracts.funds.rules", "from shudian.contracts.identity.state import MEMBERS"),
        ("contracts.funds.rules", "def f():\n    from ..identity import state"),
        ("contracts.funds.messages", "from shudian.contracts.identity.rules import member"),
        ("contracts.funds.state", "from shudian.contracts.identity.rules import member"),
        ("contracts.funds.views", "from shudian.contracts.identity.pages import page"),
        ("contracts.funds", "from shudian.contracts.identity.state import MEMBERS"),
        ("contracts.roles", "from shudian.contracts.identity.state import MEMBERS"),
        ("market", "from shudian.contracts.identity.state import MEMBERS"),
        ("tools.demo", "from shudian.contracts.identity.state import MEMBERS"),
        # files and rooms that no wall knows, modules that are not there
        ("contracts.funds.helpers", ""),
        ("attic.thing", ""),
        ("cli", "import shudian.nowhere"),
        *(
            (place, f"import {library}")
            for place in ("kernel.units", "clearing.auction", "contracts.funds.messages")
            for library in ("time", "random", "os.path", "hashlib")
        ),
        *(
            ("contracts.funds.rules_orders", f"import {library}")
            for library in (
                "datetime",
                "secrets",
                "io",
                "sys",
                "pathlib",
                "sqlite3",
                "socket",
                "threading",
                "asyncio",
                "subprocess",
                "uuid",
                "tempfile",
                "logging",
                "math",
                "decimal",
                "unicodedata",
                "locale",
                "pyarrow",
                "nacl.signing",
            )
        ),
        ("contracts.funds.state", "if TYPE_CHECKING:\n    from datetime import date"),
        ("kernel.crypto", "import secrets"),
        ("contracts.funds.messages", "from stdnum.cn import uscc"),
    ],
)
def test_each_wall_sees_what_breaks_it(importer: str, statement: str) -> None:
    found = breaches(house(f"shudian.{importer}", statement))
    assert len(found) == 1, [str(finding) for finding in found]


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("contracts.funds.rules", "from shudian.kernel.units import floor_div"),
        ("contracts.funds.rules", "from shudian.clearing.auction import clear"),
        ("contracts.funds.rules", "from shudian.contracts.funds.state import ACCOUNTS"),
        ("contracts.funds.rules", "from shudian.contracts.funds import rules_orders"),
        ("contracts.funds.rules_orders", "from shudian.contracts.identity.rules import member"),
        ("contracts.funds.messages", "from shudian.contracts.identity.messages import Kind"),
        ("contracts.funds.messages", "from shudian.contracts.roles import Role"),
        ("contracts.funds.views", "from shudian.reading.projector import Projector"),
        ("contracts.funds.views", "from shudian.contracts.identity.views import members"),
        ("contracts.funds.pages", "import datetime"),
        ("market", "from shudian.contracts.funds.rules import CONTRACT"),
        ("node.embedded", "import sqlite3"),
        ("tools.demo", "from shudian.contracts.funds.messages import Pay"),
        ("kernel.crypto", "import hashlib, nacl.bindings"),
        ("clearing.auction", "import numpy as np"),
        ("contracts.funds.messages", "from collections.abc import Mapping"),
    ],
)
def test_what_looks_down_passes(importer: str, statement: str) -> None:
    assert breaches(house(f"shudian.{importer}", statement)) == []


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter on a copy of the package, with the project's own configuration."""
    script = (
        "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as command; "
        "command(['--config', 'pyproject.toml', '--no-cache'])"
    )
    return subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package's modules and the configuration, to be broken."""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    shutil.copytree(PACKAGE, tmp_path / "src" / "shudian", ignore=shutil.ignore_patterns("data", "__pycache__"))
    return tmp_path


def test_import_linter_keeps_the_house_as_it_stands(copy: Path) -> None:
    done = lint_imports(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("place", "text", "broken"),
    [
        ("kernel/planted.py", "import shudian.reading", "the rooms of the house BROKEN"),
        ("reading/planted.py", "import shudian.contracts", "the rooms of the house BROKEN"),
        ("contracts/governance/planted.py", "import shudian.market", "the rooms of the house BROKEN"),
        ("attic/__init__.py", "", "the rooms of the house BROKEN"),
        ("contracts/roles.py", "import shudian.contracts.governance", "the order of smart contracts BROKEN"),
        ("contracts/governance/planted.py", "import shudian.contracts.identity", "the order of smart contracts BROKEN"),
        ("contracts/attic/__init__.py", "", "the order of smart contracts BROKEN"),
    ],
)
def test_import_linter_sees_what_breaks_the_order(copy: Path, place: str, text: str, broken: str) -> None:
    planted = copy / "src" / "shudian" / place
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(text, encoding="utf-8")
    done = lint_imports(copy)
    assert done.returncode == 1
    assert broken in done.stdout


def test_the_table_of_rooms_and_the_layers_name_the_same_rooms() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    assert {room.strip(" ()") for layer in layers for room in layer.split("|")} == set(ROOMS) - {""}
