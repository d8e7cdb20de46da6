"""The documents against the code: tables, links, commands, settings, files and names that they mention."""

from __future__ import annotations

import functools
import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from runtime.auth import nonces
from runtime.auth.bet_text import WINDOW_FUTURE_S, WINDOW_PAST_S
from runtime.auth.processors import WINDOW_S
from runtime.error_codes import CODES
from runtime.game.statements import load_statements
from runtime.settings_table import TABLE
from taptrade.cli import COMMANDS, run
from taptrade.processes import PROCESSES
from tests.docs.shell import FENCE, blocks
from tests.docs.tables import ROOT, TABLES, documents, names_in, with_tables

DOCUMENTS = documents()
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)

LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(?:^|[\s\"`(/])taptrade (?P<name>[a-z][a-z-]*)(?P<rest>[^\n`|;&]*)")
MAKE = re.compile(r"(?:^|[\s\"`(])make (?P<target>[a-z][a-z-]*)")
OPTION = re.compile(r"--[a-z][a-z-]*")
FILE = re.compile(
    r"(?:functions|runtime|jobs|taptrade|tests|docs|loadtest|nginx|release|changes)/[\w./-]*(?::(?P<symbol>\w+))?"
)
CODE_LINE = re.compile(r"^ {4,}\S.*$", re.MULTILINE)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_of(text: str) -> list[str]:
    """Return what a document shows as code: fenced and indented lines, and spans."""
    fenced = [block["code"] for block in FENCE.finditer(text)]
    prose = FENCE.sub("", text)
    return [*fenced, *CODE_LINE.findall(prose), *SPAN.findall(prose)]


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings."""
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(FENCE.sub("", text)))
    return {title.strip().replace(" ", "-") for title in titles}


@functools.cache
def help_of(command: str, *actions: str) -> str:
    told = io.StringIO()
    with redirect_stdout(told), pytest.raises(SystemExit, match="0"):
        run(COMMANDS[command], [*actions, "--help"])
    return told.getvalue()


def options_of(command: str, rest: str) -> str:
    """Return the help that tells of a command's options; some have sub-commands with options of their own."""
    usage = help_of(command)
    word = re.match(r" ([a-z]+)\b", rest)
    actions = next((one for one in usage.split() if "|" in one), "")
    told = " ".join(usage.split())
    if word and (f"|{word[1]}|" in f"|{actions}|" or f"`taptrade {command} {word[1]}`" in told):
        return help_of(command, word[1])
    return usage


@each_document
def test_tables_are_those_of_the_code(path: Path) -> None:
    text = read(path)
    assert text == with_tables(text), "run `python -m tests.docs.tables`"


def test_every_table_has_its_place() -> None:
    assert sorted(name for path in DOCUMENTS for name in names_in(read(path))) == sorted(TABLES)


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.finditer(FENCE.sub("", read(path))):
        target, _, anchor = link["target"].partition("#")
        if "://" in target:
            continue
        # A fragment becomes a part of the changelog, in the folder above.
        folder = ROOT if path.parent.name == "changes" and path.name != "README.md" else path.parent
        found = (folder / target).resolve() if target else path
        assert found.exists(), f"{link['target']} leads nowhere"
        assert not anchor or anchor in anchors(read(found)), f"no heading {anchor} in {found.name}"


@each_document
def test_commands_exist_with_their_options(path: Path) -> None:
    for code in code_of(read(path)):
        for used in COMMAND.finditer(code):
            assert used["name"] in COMMANDS, f"there is no `taptrade {used['name']}`"
            for option in OPTION.findall(used["rest"]):
                assert option in options_of(used["name"], used["rest"]), f"`taptrade {used['name']}` has no {option}"


@each_document
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
    for code in code_of(read(path)):
        for used in MAKE.finditer(code):
            assert used["target"] in targets, f"there is no `make {used['target']}`"


@each_document
def test_settings_exist(path: Path) -> None:
    known = {row.variable for row in TABLE}
    assert set(re.findall(r"\bTAPTRADE_[A-Z_]+[A-Z]\b", read(path))) <= known


@each_document
def test_files_and_names_exist(path: Path) -> None:
    for span in SPAN.findall(FENCE.sub("", read(path))):
        used = FILE.fullmatch(span)
        if used is None:
            continue
        name, _, symbol = span.partition(":")
        file = ROOT / name
        assert file.exists(), f"there is no {name}"
        if symbol:
            definition = rf"^\s*(?:def {symbol}\b|class {symbol}\b|{symbol}\s*[:=])"
            sources = [file] if file.is_file() else sorted(file.glob("*.py"))
            assert any(re.search(definition, read(source), re.MULTILINE) for source in sources), f"no {span}"


@each_document
def test_nothing_names_a_machine(path: Path) -> None:
    # The last folder is where people's home folders are.
    for place in ("/work/", "/tmp/", "/root/", "pypi.org", "files.pythonhosted", "/ho" + "me/"):
        assert place not in read(path)


def test_decisions_are_indexed_and_have_their_parts() -> None:
    folder = ROOT / "docs" / "adr"
    records = sorted(folder.glob("[0-9]*.md"))
    index = read(folder / "README.md")
    for number, record in enumerate(records, start=1):
        text = read(record)
        title = HEADING.findall(text)[0]
        assert record.name.startswith(f"{number:04}-")
        assert title.startswith(f"{number}. ")
        assert f"| {number} | [{title.partition('. ')[2]}]({record.name}) |" in index
        assert HEADING.findall(text)[1:] == ["Context", "Decision", "Consequences"]
        assert re.search(r"^Status: (accepted|replaced)", text, re.MULTILINE)


def test_runbooks_are_indexed() -> None:
    folder = ROOT / "docs" / "runbooks"
    index = read(folder / "README.md")
    assert [
        path.name for path in folder.glob("*.md") if path.name != "README.md" and f"({path.name})" not in index
    ] == []


def test_runbooks_name_processes_as_the_supervisor_does() -> None:
    groups = {one.name: "support:" + one.name if one.priority == 30 else one.name for one in PROCESSES}
    runbooks = "".join(read(path) for path in (ROOT / "docs" / "runbooks").glob("*.md"))
    used = re.findall(r"ctl (?:restart|start|stop|tail|signal KILL) ([\w:]+)", runbooks)
    assert set(used) <= set(groups.values())
    restarts = re.findall(r"ctl restart ([\w:]+)", read(ROOT / "docs" / "runbooks" / "restart.md"))
    assert set(restarts) == {groups[process.name] for process in PROCESSES}


def test_the_rules_of_signed_texts_are_documented_with_their_numbers() -> None:
    text = " ".join(read(ROOT / "docs" / "api.md").split())
    behind, ahead = f"{WINDOW_PAST_S} s behind", f"{WINDOW_FUTURE_S} s ahead"
    assert text.count(f"at most {behind} and {ahead} of the server's clock") == 2  # logins; bets and withdrawals
    assert f"over {behind} the server's clock or over {ahead} of it" in CODES["SIGNATURE_EXPIRED"].meaning
    assert f"at most {WINDOW_S} s behind or ahead of the server's clock" in text  # payment processors
    assert f"a nonce of {nonces.CHARACTERS_MIN} to {nonces.CHARACTERS_MAX} letters and digits" in text


def test_sql_in_decisions_is_that_of_the_ledger() -> None:
    debit = load_statements(read(ROOT / "runtime" / "game" / "ledger.sql"))["debit"]
    (shown,) = blocks(read(ROOT / "docs" / "adr" / "0009-conditional-deduction.md"), "sql")
    assert shown.strip().rstrip(";") == debit


def test_example_of_an_endpoint_is_one(tmp_path: Path) -> None:
    from runtime.web.discovery import discover

    (example,) = blocks(read(ROOT / "docs" / "architecture.md"), "python")
    (tmp_path / "hello.py").write_text(example, encoding="utf-8")
    (found,) = discover(tmp_path)
    assert (found.method, found.route, found.name) == ("GET", "/api/hello", "hello")
