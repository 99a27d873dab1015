"""The product's own source as syntax trees: what the tests of tidiness and of walls read."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "shudian"

FILE_KINDS = ("messages", "state", "rules", "views", "pages")
"""The files of a contract's folder, lowest first; each may be split by noun (``rules_orders``)."""

READING_KINDS = ("views", "pages")
"""The kinds behind the wall: they read what was told, and decide nothing."""

PURE_ROOMS = ("kernel", "clearing", "clauses")


@dataclass(frozen=True)
class Finding:
    """A place that breaks a rule, and the mend."""

    place: str
    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}:{self.line}: {self.what} -> {self.mend}"


@dataclass(frozen=True)
class Module:
    """One module. name: dotted, ``shudian.contracts.funds.rules``. place: what a report calls its file."""

    name: str
    place: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def parts(self) -> tuple[str, ...]:
        """The name below ``shudian``: room first; empty for the package itself."""
        return tuple(self.name.split(".")[1:])

    @property
    def room(self) -> str:
        return self.parts[0] if self.parts else ""

    @property
    def contract(self) -> str:
        """The contract whose folder holds the module, or empty."""
        in_folder = self.room == "contracts" and (len(self.parts) > 2 or (len(self.parts) == 2 and self.is_package))
        return self.parts[1] if in_folder else ""

    @property
    def kind(self) -> str:
        """``rules`` for ``rules`` and ``rules_orders`` of a contract's folder; empty elsewhere and for its __init__."""
        return self.parts[2].partition("_")[0] if self.contract and len(self.parts) > 2 else ""

    @property
    def is_replicated(self) -> bool:
        """Whether every validator must come to the same bytes here."""
        return self.room in PURE_ROOMS or (self.room == "contracts" and self.kind not in READING_KINDS)

    def finding(self, node: ast.AST, what: str, mend: str) -> Finding:
        return Finding(self.place, getattr(node, "lineno", 1), what, mend)


def modules(package: Path = PACKAGE) -> list[Module]:
    """Every module of the package, by name."""
    return sorted(_read(package), key=lambda module: module.name)


def _read(package: Path) -> Iterator[Module]:
    for path in package.rglob("*.py"):
        relative = path.relative_to(package.parent)
        is_package = path.name == "__init__.py"
        dotted = relative.parent.parts if is_package else relative.with_suffix("").parts
        yield Module(".".join(dotted), f"src/{relative.as_posix()}", path.read_text(encoding="utf-8"), is_package)


def planted(text: str, name: str = "shudian.contracts.funds.rules") -> Module:
    """A module that exists in a test alone."""
    return Module(name, "planted.py", text)
