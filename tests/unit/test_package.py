"""What is shipped and what is pinned: the wheel's contents, the two locks."""

import ast
import re
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from flit_core import buildapi

from tests.support.source import PACKAGE, REPOSITORY

LOCKS = ("requirements.lock", "requirements-compile.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def normal(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(lock: str) -> dict[str, str]:
    """Distribution -> version of a lock."""
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    return {normal(name): version for name, version in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE)}


def test_the_wheel_holds_the_whole_package_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    wheel = tmp_path / buildapi.build_wheel(str(tmp_path))
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    package = sorted(path.relative_to(PACKAGE.parent).as_posix() for path in files)
    assert sorted(name for name in names if ".dist-info/" not in name) == package
    assert any(name.startswith("shudian/sandbox/data/") for name in package)
    assert any(name.endswith(f".dist-info/licenses/{word}") for name in names for word in ("LICENSE", "NOTICE"))
    assert "shudian=shudian.cli:main" in entry_points


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_installed_is_pinned_by_hash_from_no_named_index(lock: str) -> None:
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    entries = re.sub(r"^#.*\n|\\\n", "", text, flags=re.MULTILINE).splitlines()
    assert all(re.match(r"[A-Za-z0-9._-]+==\S+( ; .+?)?( +--hash=sha256:[0-9a-f]{64})+$", entry) for entry in entries)
    assert "://" not in text
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    if lock != "requirements.lock":
        wanted += PROJECT["dependency-groups"]["compile"]
    if lock == "requirements-dev.lock":
        wanted += PROJECT["dependency-groups"]["dev"]
    assert {normal(re.split(r"[ =<>]", name)[0]) for name in wanted} <= set(pinned(lock))


def test_the_tools_for_tests_change_no_version_of_the_product() -> None:
    product, compiler, tools = (pinned(lock) for lock in LOCKS)
    assert product.items() <= compiler.items() <= tools.items()


def test_the_build_backend_is_the_locked_one() -> None:
    (backend,) = PROJECT["build-system"]["requires"]
    assert PROJECT["dependency-groups"]["build"] == [backend]
    name, _, version = backend.partition("==")
    assert pinned("requirements.lock")[normal(name)] == version


DISTRIBUTION_OF = {"mypyc": "mypy", "nacl": "PyNaCl", "stdnum": "python-stdnum"}


def third_party_imports() -> set[str]:
    """Top-level names that the product imports from outside the standard library and itself."""
    names = set()
    for path in (REPOSITORY / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return {name for name in names if name not in sys.stdlib_module_names and name != "shudian"}


def test_whatever_the_product_imports_is_declared() -> None:
    """What an extra or the compiler's group brings may be imported where its absence is answered for; what every installation has must be needed."""
    declared = {normal(re.split(r"[ <>=;]", entry)[0]) for entry in PROJECT["project"]["dependencies"]}
    extras = {
        normal(re.split(r"[ <>=;]", entry)[0])
        for entries in (*PROJECT["project"]["optional-dependencies"].values(), PROJECT["dependency-groups"]["compile"])
        for entry in entries
    }
    needed = {normal(DISTRIBUTION_OF.get(name, name)) for name in third_party_imports()}
    assert declared <= needed <= declared | extras
