"""The law of the replicated side holds in every module, and each rule sees what it forbids."""

import pytest

from tests.support.source import REPOSITORY, Module, modules, planted
from tests.support.tidy import untidy

MESSAGES = "shudian.contracts.funds.messages"
RULES = "shudian.contracts.funds.rules"


def test_the_product_is_tidy() -> None:
    found = [str(finding) for module in modules() for finding in untidy(module)]
    assert not found, "\n".join(found)


def test_tests_and_scripts_silence_no_linter_without_a_reason() -> None:
    paths = [*(REPOSITORY / "tests").rglob("*.py"), *(REPOSITORY / "scripts").rglob("*.py")]
    files = [Module(f"tests.{path.stem}", str(path.relative_to(REPOSITORY)), path.read_text("utf-8")) for path in paths]
    found = [str(finding) for module in files for finding in untidy(module)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("violation", "clean"),
    [
        ("share = 0.5", "share_ppm = 500_000"),
        ("turn = 1j", "turn_ppm = 1"),
        ("half = total / 2", "half = round_half_away(total, 2)"),
        ("half = total // 2", "half = floor_div(total, 2)"),
        ("left = total % 2", "left = remainder(total, 2)"),
        ("total //= 2", "total = floor_div(total, 2)"),
        ("total /= 2", "total -= 2"),
        ("total %= 2", "total += 2"),
        ("text = name % 2", "text = '%s kWh' % total"),
        ("both = divmod(total, 2)", "both = (floor_div(total, 2), remainder(total, 2))"),
        ("fen = round(total)", "fen = round_half_away(total, 10)"),
        ("fen = float(total)", "fen = int(total)"),
        ("kinds = (int, float)", "kinds = (int, str)"),
        ("digest = hash(row)", "digest = sha256(row)"),
        ("key = id(row)", "key = row.id"),
        ("data = open(name)", "data = fetch(name)"),
        ("print(total)", "emit(total)"),
        ("time = __import__('time')", "time = context.market_ms"),
        ("assert total >= 0", "check.that(total >= 0, 'the total is not negative')"),
        ("try:\n    f()\nexcept:\n    pass", "try:\n    f()\nexcept ValueError:\n    pass"),
        ("def f():\n    global total\n    total = 1", "def f():\n    total = 1"),
        ("good = name.isprintable()", "good = name.isascii()"),
        ("key = name.lower()", "key = name.encode()"),
        ("price = np.float64(3)", "price = np.int64(3)"),
        ("middle = np.mean(prices)", "middle = np.max(prices)"),
        ("draw = np.random.default_rng()", "draw = np.cumsum(prices)"),
        ("rows = np.zeros(24)", "rows = np.zeros(24, dtype=np.int64)"),
        ("rows = np.zeros((2, 24))", "rows = np.zeros((2, 24), np.int64)"),
        ("rows = np.array(prices)", "rows = np.array(prices, dtype=np.int64)"),
        ("order = np.argsort(prices)", "order = np.argsort(prices, kind='stable')"),
        ("order = prices.argsort(kind='quicksort')", "order = prices.argsort(kind='stable')"),
        ("best = np.argpartition(prices, 3)", "best = np.lexsort((ids, prices))"),
        ("for x in {1, 2}: f(x)", "for x in (1, 2): f(x)"),
        ("for x in set(rows): f(x)", "for x in sorted(set(rows)): f(x)"),
        ("y = [f(x) for x in frozenset(rows)]", "y = [f(x) for x in dict.fromkeys(rows)]"),
        ("y = [f(x) for x in {g(r) for r in rows}]", "y = [x for x in rows if x in {g(r) for r in rows}]"),
        ("for x in old.keys() & new.keys(): f(x)", "for x in old.keys(): f(x)"),
        ("for x in old.keys() - kept: f(x)", "for x in old.items(): f(x)"),
        ("y = list({1, 2})", "y = len({1, 2})"),
        ("y = tuple(kept.union(rows))", "y = sorted(kept.union(rows))"),
        ("y = ','.join({'a', 'b'})", "y = ','.join(('a', 'b'))"),
        ("y = [*{1, 2}]", "y = [*(1, 2)]"),
        ("a, b = {1, 2}", "a, b = (1, 2)"),
        ("seen = set()\nfor x in seen: f(x)", "seen = {}\nfor x in seen: f(x)"),
        ("def f(seen: set[int]):\n    return list(seen)", "def f(seen: list[int]):\n    return list(seen)"),
        ("seen: frozenset[int] = g()\ny = seen.pop()", "seen: list[int] = g()\ny = seen.pop()"),
        ("self.seen: set[int] = g()\nfor x in self.seen: f(x)", "self.seen: set[int] = g()\ny = 3 in self.seen"),
        ("y = 1  # noqa", "y = 1  # noqa: E501 - a table reads better in one line"),
        ("y = 1  # noqa: E501", "y = 1  # a remark"),
        ("y = f()  # type: ignore", "y = f()  # type: ignore[misc] # made at run time"),
        ("y = f()  # type: ignore[misc]", "y = f()"),
    ],
)
def test_each_rule_sees_its_violation_and_passes_the_mend(violation: str, clean: str) -> None:
    assert len(untidy(planted(violation, RULES))) >= 1
    assert untidy(planted(clean, RULES)) == []


@pytest.mark.parametrize(
    ("violation", "clean"),
    [
        ("amount: int", "amount_fen: int"),
        ("price: int", "price_myuan_mwh: int"),
        ("power_mw: int", "power_kw: int"),
        ("tariff: int = 0", "tariff_e8yuan_kwh: int = 0"),
        ("curve: tuple[int, ...]", "curve_kwh: tuple[int, ...]"),
        ("until: int | None", "until_ms: int | None"),
        ("party: int", "party_id: int"),
        ("orders: list[tuple[int, str]]", "order_ids: list[tuple[int, str]]"),
        ("delivery_days: int", "delivery_days: tuple[int, ...]"),
        ("values: int", "values: tuple[int, ...]"),
        ("share_ppms: int", "share_ppm: int"),
        ("of: Mapping[str, int]", "name: str"),
        ("flag: int", "flag: bool"),
        ("state: int", "state: OrderState"),
        ("limit: int", "LIMIT: ClassVar[int] = 3"),
    ],
)
def test_whole_number_fields_end_in_their_unit(violation: str, clean: str) -> None:
    assert len(untidy(planted(f"class Row(Record):\n    {violation}\n", MESSAGES))) == 1
    assert untidy(planted(f"class Row(Record):\n    {clean}\n", MESSAGES)) == []
    assert untidy(planted(f"class Row(Record):\n    {violation}\n", RULES)) == []


@pytest.mark.parametrize("name", ["day", "slot", "segment", "version", "height", "id", "month", "count"])
def test_a_unit_may_be_the_whole_name(name: str) -> None:
    assert untidy(planted(f"class Row(Record):\n    {name}: int\n", MESSAGES)) == []


def test_settings_end_in_their_unit() -> None:
    assert len(untidy(planted('A = Setting("funds.fee", 0, 9, "费", "fee")', MESSAGES))) == 1
    assert untidy(planted('A = Setting("funds.fee_fen", 0, 9, "费", "fee")', MESSAGES)) == []


def test_a_finding_tells_file_line_and_mend() -> None:
    (finding,) = untidy(planted("a = 1\nb = a // 2\n"))
    assert str(finding) == "planted.py:2: a division -> a function of kernel.units that names its rounding"


@pytest.mark.parametrize(
    ("name", "replicated"),
    [
        ("shudian.kernel.machine", True),
        ("shudian.clearing.auction", True),
        ("shudian.contracts.roles", True),
        ("shudian.contracts.trading.rules_orders", True),
        ("shudian.contracts.trading.state", True),
        ("shudian.contracts.trading.views", False),
        ("shudian.contracts.trading.pages_orders", False),
        ("shudian.reading.projector", False),
        ("shudian.node.embedded", False),
    ],
)
def test_the_law_holds_on_the_replicated_side_alone(name: str, replicated: bool) -> None:
    assert bool(untidy(planted("half = total / 2", name))) is replicated


def test_division_lives_in_units_alone() -> None:
    assert untidy(planted("q = a // b\nr = divmod(a, b)", "shudian.kernel.units")) == []
    assert len(untidy(planted("q = a // b\nr = divmod(a, b)", "shudian.kernel.clock"))) == 2
    assert len(untidy(planted("q = float(a)\nr = round(a)", "shudian.kernel.units"))) == 2
