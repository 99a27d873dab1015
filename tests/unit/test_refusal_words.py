"""Facts of a refusal are numbers, codes and symbols, or words in both languages: one is stored, two are read."""

import ast
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from typing import Any

import pytest

from shudian.client.client import describe
from shudian.kernel.machine import Machine
from shudian.kernel.outcomes import FACT_MAX_COUNT, FIELD_NOT_ALLOWED, both, in_language, refused
from shudian.market import MARKET
from tests.support.source import Finding, Module, modules, planted

FORMATS = ("yyyymmdd", "yyyymm")
FAULTS_OF_OURS = ("CheckFailed", "Malformed", "ValueError")
_ENGLISH = re.compile(r"[a-z]{2,}")
_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_TWO_LANGUAGES = re.compile(r"both|in_[a-z]+|of_day")
"""Calls whose facts come in both languages already; what they are made of is tested where they are made."""


@cache
def code_words() -> frozenset[str]:
    """Words that mean the same in both languages: enum values, names of fields and settings."""
    words = {*FORMATS, *MARKET.settings}
    waiting: list[Any] = [StrEnum]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            words.update(str(value) for value in kind)
    records = [*MARKET.handlers, *(event for contract in MARKET.contracts for event in contract.events)]
    return frozenset(words.union(*(kind.__struct_fields__ for kind in records)))


def spoken(text: str) -> bool:
    """Whether a text says something in one language; ``open | close`` is two codes and says nothing."""
    parts = (part.strip() for part in text.split("|"))
    return bool(_CHINESE.search(text)) or any(_ENGLISH.search(part) and part not in code_words() for part in parts)


def one_language_facts(module: Module) -> Iterator[Finding]:
    """Texts given to a refusal as value or allowed, directly or by a name of the function or module, that speak one language."""
    constants = named_values(module.tree.body)
    for function in (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)):
        named = {**constants, **named_values(ast.walk(function))}
        for node in ast.walk(function):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and is_refusal(node.exc):
                given = [*node.exc.args[1:], *(word.value for word in node.exc.keywords if word.arg != "field")]
                for fact in given:
                    for text in texts(named.get(ast.unparse(fact), fact)):
                        if spoken(text):
                            yield module.finding(node, f"a fact in one language: {text!r}", "both(zh, en)")


def named_values(nodes: Iterable[ast.AST]) -> dict[str, ast.expr]:
    assigned = (node for node in nodes if isinstance(node, ast.Assign))
    return {ast.unparse(target): node.value for node in assigned for target in node.targets}


def is_refusal(call: ast.Call) -> bool:
    name = ast.unparse(call.func).rpartition(".")[2]
    return name not in FAULTS_OF_OURS and not name.endswith("Error")


def texts(fact: ast.expr) -> Iterator[str]:
    """The literal texts of an expression, but for what is in both languages."""
    if isinstance(fact, ast.Call) and _TWO_LANGUAGES.fullmatch(ast.unparse(fact.func).rpartition(".")[2]):
        return
    if isinstance(fact, ast.Constant) and isinstance(fact.value, str):
        yield fact.value
    elif isinstance(fact, ast.JoinedStr):
        yield "0".join(str(part.value) for part in fact.values if isinstance(part, ast.Constant))
    else:
        for child in ast.iter_child_nodes(fact):
            if isinstance(child, ast.expr):
                yield from texts(child)


def test_no_refusal_of_the_product_speaks_one_language() -> None:
    found = [str(finding) for module in modules() if module.is_replicated for finding in one_language_facts(module)]
    assert not found, "\n".join(found)


def test_the_refusals_of_the_product_are_seen() -> None:
    raised = [
        node
        for module in modules()
        if module.is_replicated
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and is_refusal(node.exc)
    ]
    assert len(raised) > 150


@pytest.mark.parametrize(
    ("spoken_fact", "clean"),
    [
        ('"a code without a membership"', 'both("没有成员的代码", "a code without a membership")'),
        ('f"person {number}"', 'both(f"第 {number} 号人员", f"person {number}")'),
        ('f"<= {free} on account {number}"', 'f"<= {free}"'),
        ('f"0 or > {now}"', 'f"0 | > {now}"'),
        ('"允许的值"', '"<= 300"'),
        ('"empty" if kind else 3', "2 if kind else 3"),
        ('"submitted | gone fishing"', '"submitted | returned | active"'),
        ('str(size) + " bytes"', "fields.in_bytes(size)"),
        ('" | ".join(("sell", "or not"))', '" | ".join(kinds)'),
    ],
)
def test_facts_in_one_language_are_found(spoken_fact: str, clean: str) -> None:
    for where in (f"x, {spoken_fact}", f"x, 1, {spoken_fact}", f"x, allowed={spoken_fact}"):
        assert list(one_language_facts(planted(f"def f():\n    raise GONE({where})\n")))
    assert list(one_language_facts(planted(f"def f():\n    fact = {spoken_fact}\n    raise GONE(x, fact)\n")))
    assert list(one_language_facts(planted(f"FACT = {spoken_fact}\ndef f():\n    raise GONE(x, FACT)\n")))
    assert not list(one_language_facts(planted(f"def f():\n    raise GONE(x, {clean}, {clean})\n")))
    assert not list(one_language_facts(planted(f"def f():\n    raise CheckFailed(x, {spoken_fact})\n")))


@pytest.mark.parametrize("length", [1, 97, 98, 99, 150, 5_000])
def test_the_bound_on_facts_keeps_both_halves(length: int) -> None:
    error = FIELD_NOT_ALLOWED("name", both("中" * length, "e" * length), both("文" * length, "f" * length))
    kept = min(length, 98)
    assert max(len(error.value), len(error.allowed)) <= FACT_MAX_COUNT
    assert [in_language(error.value, "zh"), in_language(error.value, "en")] == ["中" * kept, "e" * kept]
    assert [in_language(error.allowed, "zh"), in_language(error.allowed, "en")] == ["文" * kept, "f" * kept]


def test_a_sentence_shows_the_half_of_its_reader() -> None:
    outcome = refused(FIELD_NOT_ALLOWED("name", both("3 个字符", "3 characters"), "1..2"))
    assert describe(outcome, "zh") == "[1011] 字段取值不合规（name = 3 个字符；允许：1..2）"
    assert (
        describe(outcome, "en") == "[1011] a field has a value that is not allowed (name = 3 characters; allowed: 1..2)"
    )


def test_every_refusal_is_declared_whole() -> None:
    for number, refusal in Machine(MARKET, "", lambda _digest: None).refusals.items():
        assert number == refusal.number
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", refusal.name), refusal.name
        assert 400 <= refusal.status <= 503, refusal.name
        assert _CHINESE.search(refusal.zh), refusal.name
        assert _ENGLISH.search(refusal.en), refusal.name
        assert not _CHINESE.search(refusal.en), refusal.name
