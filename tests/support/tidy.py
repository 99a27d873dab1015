"""The law of the replicated side, read off the syntax tree.

A rule is a generator over one module; :func:`untidy` asks them all. What may be imported is a matter of walls.py.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator

from tests.support.source import Finding, Module

UNITS_MODULE = "shudian.kernel.units"

UNIT_SUFFIXES = (
    *("fen", "kwh", "wh", "kw", "kva", "myuan_mwh", "e8yuan_kwh", "fen_kw", "fen_kva", "ppm", "ms", "day", "slot"),
    *("segment", "certs", "e6deg"),
)
PLAIN_SUFFIXES = ("id", "no", "count", "version", "height", "code", "month")
UNIT_OF_SETTING = "values"  # the unit of a setting's values is the last word of the setting's own name

_SUFFIX = "|".join((*UNIT_SUFFIXES, *PLAIN_SUFFIXES))
_ONE = re.compile(rf"(.*_)?({_SUFFIX})")
_MANY = re.compile(rf"(.*_)?({_SUFFIX})s?|{UNIT_OF_SETTING}")

_BUILTINS = {
    "float": "integers in the smallest unit",
    "complex": "integers in the smallest unit",
    "round": "a rounding of kernel.units, named",
    "divmod": "floor_div and remainder of kernel.units",
    "hash": "kernel.crypto.sha256: hash() differs between processes",
    "id": "a ledger id: id() is an address in memory",
    "open": "no I/O: the node reads and writes",
    "print": "no I/O: emit an event",
    "input": "no I/O",
    "eval": "plain code",
    "exec": "plain code",
    "__import__": "an import statement, so that walls see it",
}
_UNICODE_METHODS = frozenset(
    {
        *("isprintable", "isalpha", "isalnum", "isdigit", "isnumeric", "isdecimal", "isidentifier", "isspace"),
        *("islower", "isupper", "istitle", "lower", "upper", "title", "casefold", "capitalize", "swapcase"),
    }
)
_NUMPY_FLOATS = re.compile(
    r"float.*|double|half|single|longdouble|complex.*|true_divide|divide|floor_divide|mod|fmod|remainder|divmod|mean"
    r"|average|median|std|var|(nan)?(percentile|quantile)|linspace|logspace|geomspace|sqrt|cbrt|exp.*|log.*|sin|cos|tan"
    r"|power|float_power|rint|round|around|floor|ceil|interp|random|linalg|fft|nan|inf|e|pi"
)
_NUMPY_MAKERS = frozenset({"zeros", "ones", "empty", "array", "asarray", "frombuffer"})
_NUMPY_PARTITIONS = frozenset({"argpartition", "partition"})

_ORDER_TAKERS = frozenset({"list", "tuple", "enumerate", "iter", "zip", "map", "filter", "next", "reversed", "dict"})
_ORDER_METHODS = frozenset({"join", "extend", "fromkeys", "fromiter"})
_SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference"})
_SET_TYPES = re.compile(r"(typing\.)?(set|frozenset|Set|FrozenSet|AbstractSet|MutableSet)\b")

Rule = Callable[[Module], Iterator[Finding]]


def fractions(module: Module) -> Iterator[Finding]:
    """No float or complex number."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield module.finding(node, f"{node.value} is not an integer", "an integer in the smallest unit")


def divisions(module: Module) -> Iterator[Finding]:
    """No ``/``, ``//`` or ``%`` outside kernel/units.py; ``%`` of a text literal formats and is no division."""
    if module.name == UNITS_MODULE:
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.BinOp | ast.AugAssign) or not isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            continue
        left = node.left if isinstance(node, ast.BinOp) else node.target
        if isinstance(node.op, ast.Mod) and isinstance(left, ast.Constant) and isinstance(left.value, str):
            continue
        yield module.finding(node, "a division", "a function of kernel.units that names its rounding")


def builtins(module: Module) -> Iterator[Finding]:
    """No builtin that rounds, looks at memory, reads or writes."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _BUILTINS:
            if node.id == "divmod" and module.name == UNITS_MODULE:
                continue
            yield module.finding(node, f"{node.id}()", _BUILTINS[node.id])


def statements(module: Module) -> Iterator[Finding]:
    """No assert (gone under -O), no bare except, no global."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assert):
            yield module.finding(node, "assert", "kernel.check.that, which survives python -O")
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield module.finding(node, "a bare except", "name what may be raised")
        elif isinstance(node, ast.Global):
            yield module.finding(node, f"global {', '.join(node.names)}", "keep it in a table")


def text_tables(module: Module) -> Iterator[Finding]:
    """No text method that asks Python's Unicode tables: they differ between Python versions."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in _UNICODE_METHODS:
            yield module.finding(
                node, f".{node.attr}()", "compare code points; Unicode tables differ by Python version"
            )


def numpy_use(module: Module) -> Iterator[Finding]:
    """Numpy in stated integer types and stable order alone."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and _is_numpy(node.value) and _NUMPY_FLOATS.fullmatch(node.attr):
            yield module.finding(node, f"np.{node.attr}", "integers: numpy int64 and kernel.units")
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, keywords = node.func.attr, {keyword.arg: keyword.value for keyword in node.keywords}
        is_typed = "dtype" in keywords or len(node.args) > 1
        if name in _NUMPY_MAKERS and _is_numpy(node.func.value) and not is_typed:
            yield module.finding(node, f"np.{name} without dtype", "dtype=np.int64: the default may be a float")
        if name in _NUMPY_PARTITIONS and (_is_numpy(node.func.value) or name == "argpartition"):
            yield module.finding(node, f"{name}()", "a stable sort: the order of a partition differs by processor")
        if name == "argsort" and not _is_word(keywords.get("kind"), "stable"):
            yield module.finding(
                node, 'argsort() without kind="stable"', "say it: the order of ties differs by processor"
            )


def _is_word(node: ast.expr | None, word: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == word


def _is_numpy(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy")


def unordered(module: Module) -> Iterator[Finding]:
    """No iteration over a set: its order differs between processes. Names count as sets throughout their module."""
    names = _set_names(module)
    for node in ast.walk(module.tree):
        for taken in _iterated(node):
            if _is_set(taken, names):
                yield module.finding(taken, f"iteration over the set {ast.unparse(taken)}", "sorted(...) or a dict")
        match node:
            case ast.Call(func=ast.Attribute(value=popped, attr="pop"), args=[]) if _is_set(popped, names):
                yield module.finding(node, f"{ast.unparse(node)} takes any member of a set", "min(...) and remove")


def _iterated(node: ast.AST) -> list[ast.expr]:
    """The expressions whose order a node takes over."""
    match node:
        case (
            ast.For(iter=taken) | ast.comprehension(iter=taken) | ast.Starred(value=taken) | ast.YieldFrom(value=taken)
        ):
            return [taken]
        case ast.Assign(targets=[ast.Tuple() | ast.List(), *_], value=taken):
            return [taken]
        case ast.Call(func=ast.Name(id=name)) if name in _ORDER_TAKERS:
            return node.args
        case ast.Call(func=ast.Attribute(attr=name)) if name in _ORDER_METHODS:
            return node.args
    return []


def _is_set(node: ast.expr, names: frozenset[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Name | ast.Attribute):
        return ast.unparse(node) in names
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor | ast.Sub):
        return any(_is_set(side, names) or _is_view(side) for side in (node.left, node.right))
    return isinstance(node, ast.Call) and _makes_set(node.func)


def _makes_set(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in ("set", "frozenset")
    return isinstance(function, ast.Attribute) and function.attr in _SET_METHODS


def _is_view(node: ast.expr) -> bool:
    """``d.keys()`` and ``d.items()`` are in order by themselves, but not what ``&`` makes of them."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("keys", "items")


def _set_names(module: Module) -> frozenset[str]:
    """Names and attributes that are bound or annotated as sets."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AnnAssign) and _SET_TYPES.match(ast.unparse(node.annotation)):
            names.add(ast.unparse(node.target))
        elif isinstance(node, ast.arg) and node.annotation and _SET_TYPES.match(ast.unparse(node.annotation)):
            names.add(node.arg)
        elif isinstance(node, ast.Assign) and _is_set(node.value, frozenset(names)):
            names.update(ast.unparse(target) for target in node.targets)
    return frozenset(names)


def unit_names(module: Module) -> Iterator[Finding]:
    """Whole-number fields of messages, events, replies and rows end in their unit, and so do names of settings."""
    if not module.contract or module.kind not in ("messages", "state"):
        return
    mend = f"end it in one of {', '.join('_' + suffix for suffix in (*UNIT_SUFFIXES, *PLAIN_SUFFIXES))}"
    for node in ast.walk(module.tree):
        match node:
            case ast.ClassDef(name=record, body=body):
                for field in body:
                    if isinstance(field, ast.AnnAssign) and not _names_unit(field):
                        yield module.finding(field, f"{record}.{ast.unparse(field.target)} names no unit", mend)
            case ast.Call(func=ast.Name(id="Setting"), args=[ast.Constant(value=str(name)), *_]):
                if not _ONE.fullmatch(name.rpartition(".")[2]):
                    yield module.finding(node, f"setting {name} names no unit", mend)


def _names_unit(field: ast.AnnAssign) -> bool:
    """Whether a field holds no whole number, or names its unit; a list may be named in the plural."""
    leaves = {node.id for node in ast.walk(field.annotation) if isinstance(node, ast.Name)}
    if "int" not in leaves or "ClassVar" in leaves:
        return True
    pattern = _MANY if isinstance(field.annotation, ast.Subscript) else _ONE
    return bool(pattern.fullmatch(ast.unparse(field.target)))


def silenced(module: Module) -> Iterator[Finding]:
    """A linter is silenced for named rules and with a reason, at the place: ``# noqa: X123 - reason``."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type != tokenize.COMMENT:
            continue
        comment = token.string
        quiet = re.search(r"noqa|type:\s*ignore|pragma:", comment)
        if quiet and not re.search(r"(noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*|ignore\[[a-z, -]+\]) *[-#] *\w.{8,}", comment):
            what = f"{quiet.group()} without rule or reason"
            yield Finding(module.place, token.start[0], what, "# noqa: X123 - reason, # type: ignore[code] # reason")


REPLICATED_RULES: tuple[Rule, ...] = (
    fractions,
    divisions,
    builtins,
    statements,
    text_tables,
    numpy_use,
    unordered,
    unit_names,
)
EVERYWHERE_RULES: tuple[Rule, ...] = (silenced,)


def untidy(module: Module) -> list[Finding]:
    """All findings of a module."""
    rules = (*EVERYWHERE_RULES, *(REPLICATED_RULES if module.is_replicated else ()))
    return [finding for rule in rules for finding in rule(module)]
