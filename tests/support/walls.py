"""Who may import what, edge by edge: rooms, the files of a contract's folder, and the libraries of the replicated side.

The order of rooms and of contracts, through chains of imports, is import-linter's (pyproject.toml). Here are the walls
that it cannot say: a folder's file order, another contract's private state, a closed list of libraries. All that the
replicated side can reach is itself on the replicated side and tested, so single edges are enough.
"""

import ast
from collections.abc import Iterator, Mapping

from tests.support.source import FILE_KINDS, Finding, Module

EVERYTHING = frozenset({"any room below"})

# Room -> rooms that its modules may name, beside their own; import-linter keeps the direction.
ROOMS: Mapping[str, frozenset[str]] = {
    "kernel": frozenset(),
    "faults": frozenset(),
    "clearing": frozenset({"kernel"}),
    "clauses": frozenset({"kernel"}),
    "proofs": frozenset({"kernel", "faults"}),
    "reading": frozenset({"kernel"}),
    "contracts": frozenset({"kernel", "clearing", "clauses", "reading"}),
    "messages": frozenset({"kernel", "contracts"}),
    "market": frozenset({"kernel", "messages", "contracts", "reading"}),
    "node": frozenset({"kernel", "faults", "proofs", "messages", "market", "reading"}),
    "client": frozenset({"kernel", "faults", "proofs", "market"}),
    "gateway": frozenset({"kernel", "node", "market", "reading"}),
    "sandbox": frozenset({"kernel"}),
    "tools": EVERYTHING,
    "cli": EVERYTHING,
    "__main__": frozenset({"cli"}),
    "": frozenset({"compiled"}),
    "compiled": frozenset(),
}

# Replicated code may use these alone: nothing that tells time, draws lots, does I/O, or computes in binary fractions.
PURE_LIBRARIES = frozenset(
    {
        *(
            "__future__",
            "abc",
            "bisect",
            "collections",
            "dataclasses",
            "enum",
            "functools",
            "heapq",
            "itertools",
            "typing",
        ),
        *("msgspec", "numba", "numpy"),
    }
)
CRYPTO_LIBRARIES = frozenset({"cryptography", "hashlib", "hmac", "nacl"})
CRYPTO_MODULE = "shudian.kernel.crypto"

# Kind of a contract's file -> kinds that it may import of its own folder, and of lower contracts.
OWN_KINDS: Mapping[str, tuple[str, ...]] = {
    "messages": ("messages",),
    "state": ("messages", "state"),
    "rules": ("messages", "state", "rules"),
    "views": ("messages", "rules", "views"),
    "pages": ("messages", "rules", "views", "pages"),
}
LOWER_KINDS: Mapping[str, tuple[str, ...]] = {
    "messages": ("messages",),
    "state": ("messages",),
    "rules": ("messages", "rules"),
    "views": ("messages", "rules", "views"),
    "pages": ("messages", "rules", "views"),
}


def breaches(all_modules: list[Module]) -> list[Finding]:
    """Every wall that is broken, and every file of a contract's folder that no wall knows."""
    known = {module.name: module for module in all_modules}
    found: list[Finding] = []
    for module in all_modules:
        if module.room not in ROOMS:
            found.append(module.finding(module.tree, f"room {module.room} is unknown", "add it to ROOMS and to layers"))
        if module.contract and module.kind not in ("", *FILE_KINDS):
            mend = f"one of {', '.join(FILE_KINDS)}, split by noun: rules_orders.py"
            found.append(module.finding(module.tree, f"a contract has no file {module.parts[2]}.py", mend))
        for node, target in _imports(module, known):
            mend = _refused(module, known[target]) if target in known else _refused_library(module, target)
            if mend:
                found.append(module.finding(node, f"{module.name} imports {target}", mend))
    return found


def _imports(module: Module, known: Mapping[str, Module]) -> Iterator[tuple[ast.AST, str]]:
    """(node, dotted name) of everything imported; ``from a import b`` names a.b but for what is no module of ours."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            for alias in node.names:
                deeper = f"{base}.{alias.name}"
                is_ours = base.partition(".")[0] == "shudian"
                yield node, deeper if deeper in known or not is_ours else base


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    folder = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    above = folder[: len(folder) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _refused(importer: Module, target: Module) -> str:
    """Why an import between two modules of ours is refused, or empty."""
    if not target.parts:
        return "the package's root is for the version alone" if importer.is_replicated else ""
    allowed = ROOMS.get(importer.room, frozenset())
    if importer.room != target.room and allowed is not EVERYTHING and target.room not in allowed:
        return f"{importer.room} may import {', '.join(sorted(allowed)) or 'nothing of ours'}"
    if importer.is_replicated and not target.is_replicated:
        return "the replicated side never looks at the reading side"
    if importer.kind and target.kind:
        table = OWN_KINDS if importer.contract == target.contract else LOWER_KINDS
        kinds = table.get(importer.kind, ())
        whose = "its own" if table is OWN_KINDS else "a lower contract's"
        return "" if target.kind in kinds else f"{importer.kind} may import {whose} {', '.join(kinds)}"
    if target.kind == "state":
        return "a contract's state is its own"
    return ""


def _refused_library(importer: Module, target: str) -> str:
    """Why the import of a library is refused, or empty; also a module of ours that does not exist."""
    top = target.partition(".")[0]
    if top == "shudian":
        return "there is no such module"
    allowed = PURE_LIBRARIES | (CRYPTO_LIBRARIES if importer.name == CRYPTO_MODULE else frozenset())
    if not importer.is_replicated or any(f"{target}.".startswith(f"{library}.") for library in allowed):
        return ""
    return f"replicated code may use {', '.join(sorted(PURE_LIBRARIES))}; hashes and keys are made in kernel/crypto.py"
