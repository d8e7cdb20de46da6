"""No dead code: whatever the sources declare, something outside the tests uses, or a rule or a reason keeps it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache

from gunicorn.config import make_settings

from tests.declarations import Declaration, declared, foreign_bases, loaded, meaning, unused
from tests.sources import Trees, dotted, modules

CHECKED = ("functions", "runtime", "jobs", "taptrade")
MODULES = modules((*CHECKED, "loadtest", "release", "examples"))
TREES = Trees(MODULES)

DECLARING = {
    "runtime.function.function",
    *(f"runtime.triggers.{name}" for name in ("every", "cron", "on_queue", "on_event")),
}
"""What is decorated by one of these is found by discovery."""
KNOWN_SETTINGS = make_settings()
OFFERED = "what functions may use, whether one of them does so now or not"
# What is used by somebody else -> by whom.
KEPT: dict[str, str] = {
    "runtime.web.app.Resource.on_head": "falcon's responder of HEAD",
    "runtime.web.scope.RequestScope.process_request": "falcon's middleware",
    "runtime.web.problem.Problem.*": "a schema of the document; the values are written from an error's fields",
    "runtime.records.refusals.*": "the same of what the codes carry",
    "functions.prices.Candle.*": "a schema of the document; the values are rows of SQL",
    "runtime.web.call.Call.own_settings": OFFERED,
    "runtime.triggers.run.Run.own_settings": OFFERED,
    "runtime.function_settings.Secret.reveal": OFFERED,
    "taptrade.trial.*": "tests have it as their fixture",
    "jobs.rq.scheduler.WatchfulScheduler._interval": "rq-scheduler's loop sleeps so long",
    "jobs.upkeep.stored_week._Shown.*": "apsw calls them as SQLite's file system",
    "runtime.messaging.sentinels._ToPrimary.*": "redis-py's connection calls them",
    "taptrade.views.PriceEventView": "programs that follow the stream read a price by it",
    "taptrade.machine_checks._Timex._fields_": "ctypes lays the structure out by it",
    **dict.fromkeys(
        (
            *(
                f"taptrade.client.{name}.withdraw"
                for name in ("account.Account", "async_account.AsyncAccount", "calls")
            ),
            *(f"taptrade.client.{name}.withdraw" for name in ("blocking.TapClient", "conduct.Conduct")),
            *(
                f"taptrade.client.{name}.set_limits"
                for name in ("account.Account", "async_account.AsyncAccount", "calls")
            ),
            *("taptrade.views.OwnLimitsView.*", "taptrade.views.PendingLimitsView.*"),
            *("taptrade.client.blocking.TapClient.logout", "taptrade.client.calls.logout"),
            *(
                "taptrade.views.WithdrawalView",
                "taptrade.views.WithdrawnView",
                "taptrade.views.WithdrawnView.withdrawal",
            ),
        ),
        "the client is there to use and to copy",
    ),
    "taptrade.client.over_http.Settings.trust_env": "httpx takes it",
    "taptrade.wallet.sign_withdrawal": "signs what the client sends",
    "taptrade.views.PriceView.time_ms": "the client hands on what the API tells",
    "taptrade.statement.Totals.*": "the player prints them by their names",
}


@cache
def built() -> set[str]:
    """Return the names that the sources call: the classes among them are built here."""
    calls = [node.func for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}


@cache
def read_whole() -> set[str]:
    """Return the dataclasses whose fields are read in a loop."""
    calls = [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) in ("fields", "dataclasses.fields")}


def is_own_refusal(trees: Mapping[str, ast.Module], module: str, owner: str) -> bool:
    """Tell whether a class is a refusal of one function."""
    classes = (node for node in trees[module].body if isinstance(node, ast.ClassDef) and node.name == owner)
    bases = {dotted(base, meaning(trees, module)) for node in classes for base in node.bases}
    return not bases.isdisjoint(f"runtime.{name}.OwnRefusal" for name in ("function", "errors"))


def is_kept_by_rule(one: Declaration) -> bool:
    """Tell whether Python, a library or the framework uses a name by itself."""
    if one.name.startswith("__") and one.name.endswith("__"):
        return True
    if one.module == "taptrade.gunicorn_settings" and one.name in KNOWN_SETTINGS:
        return True
    node = one.node
    if isinstance(node, ast.FunctionDef):
        marks = (mark.func for mark in node.decorator_list if isinstance(mark, ast.Call))
        if any(dotted(mark, meaning(TREES, one.module)) in DECLARING for mark in marks):
            return True
    if isinstance(node, ast.AnnAssign) and is_own_refusal(TREES, one.module, one.owner):
        # A refusal's fields are written into the answer from the keywords that it is raised with.
        return one.owner in built()
    bases = foreign_bases(TREES, one.module, one.owner)
    if isinstance(node, ast.AnnAssign) and "msgspec.Struct" in bases:
        # Who builds one here writes it out; the reader is elsewhere.
        return one.owner in built()
    if isinstance(node, ast.Assign) and "enum.StrEnum" in bases:
        # Called with a text that comes from outside, an enumeration answers with any of its members.
        return one.owner in built()
    if isinstance(node, ast.AnnAssign) and one.owner in read_whole():
        return True
    return any(hasattr(loaded(base), one.name) for base in bases)


def is_listed(one: Declaration) -> bool:
    """Tell whether a name, or the whole class of a member, is kept for a reason."""
    return not KEPT.keys().isdisjoint({str(one), f"{one.module}.{one.owner}.*", f"{one.module}.*"})


@cache
def asked() -> list[Declaration]:
    """Return the declarations that nothing keeps but their use."""
    found = (one for module in MODULES if module.startswith(CHECKED) for one in declared(TREES[module], module))
    return [one for one in found if not is_kept_by_rule(one)]


def raised(trees: Iterable[ast.Module]) -> set[str]:
    """Return the names of the classes that sources raise, build, hand on or make others of; catching is none of it."""
    found: set[str] = set()
    for tree in trees:
        caught = {
            id(one)
            for node in ast.walk(tree)
            if isinstance(node, ast.ExceptHandler) and node.type
            for one in ast.walk(node.type)
        }
        names = (one for one in ast.walk(tree) if isinstance(one, ast.Name | ast.Attribute) and id(one) not in caught)
        found |= {one.attr if isinstance(one, ast.Attribute) else one.id for one in names}
    return found


def test_nothing_is_declared_for_nobody() -> None:
    wanted = [one for one in asked() if not is_listed(one)]
    assert [str(one) for one in unused(TREES, wanted)] == []


def test_what_is_listed_would_be_dead_without_its_reason() -> None:
    dead = {str(one) for one in unused(TREES, asked())}
    owners = {f"{one.rsplit('.', parts)[0]}.*" for one in dead for parts in (1, 2)}
    assert sorted(name for name in set(KEPT) - dead - owners if KEPT[name] != OFFERED) == []


def test_every_exception_of_ours_is_raised() -> None:
    named = raised(TREES.values())
    classes = [
        (module, node)
        for module in MODULES
        if module.startswith(CHECKED)
        for node in TREES[module].body
        if isinstance(node, ast.ClassDef)
        and any(is_exception(base) for base in foreign_bases(TREES, module, node.name))
    ]
    assert len(classes) > 10
    assert [f"{module}.{node.name}" for module, node in classes if node.name not in named] == []


def is_exception(name: str) -> bool:
    """Tell whether a class of others is an exception."""
    found = loaded(name)
    return isinstance(found, type) and issubclass(found, BaseException)


SAMPLE = """
LIMIT, UNUSED = 1, 2
class Asked:
    told: int
    untold: int
    def answer(self): return self.told + LIMIT
    def again(self): return self.again()
def used(): return Asked().answer()
def dead(): return only_by_the_dead()
def only_by_the_dead(): return dead()
"""
OTHER = """
from functions.sample import used as taken
def named_by_a_string(): return taken()
SERVER = "functions.other:named_by_a_string"
"""


def test_dead_declarations_are_seen() -> None:
    trees = {"functions.sample": ast.parse(SAMPLE), "functions.other": ast.parse(OTHER)}
    found = [str(one) for one in unused(trees, [one for module in trees for one in declared(trees[module], module)])]
    assert [one.removeprefix("functions.") for one in found] == [
        "other.SERVER",
        "sample.Asked.again",
        "sample.Asked.untold",
        "sample.UNUSED",
        "sample.dead",
        "sample.only_by_the_dead",
    ]


def test_an_exception_that_is_only_caught_is_seen() -> None:
    source = "try:\n    go()\nexcept (Lost, bus.Away):\n    raise Late from None"
    assert {"Lost", "Away", "Late"} & raised([ast.parse(source)]) == {"Late"}
