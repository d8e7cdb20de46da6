"""Discovery: a new file is a new endpoint, and a broken one is named with its reason."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.function_files import DiscoveryError
from runtime.web.discovery import discover, refuse_duplicates
from tests.runtime.web.sample_app import BROKEN, GOOD, build

ENDPOINT = '''"""GET {route}."""

from __future__ import annotations

import msgspec

from runtime.function import Call, function


class Said(msgspec.Struct):
    text: str


@function("{method}", "{route}", auth="none", summary="Say")
def say(call: Call[None]) -> Said:
    """Say it."""
    return Said("{text}")
'''


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes one endpoint into the test's folder."""

    def write_endpoint(name: str, route: str = "/api/said", method: str = "GET", text: str = "hi") -> Path:
        file = tmp_path / f"{name}.py"
        file.write_text(ENDPOINT.format(route=route, method=method, text=text), encoding="utf-8")
        return file

    return write_endpoint


def test_the_samples_are_found_in_order_of_their_routes() -> None:
    functions = discover(GOOD)

    assert [one.route for one in functions] == sorted(one.route for one in functions)
    names = {one.name for one in functions}
    assert {"greet", "tap", "notes.read", "notes.write", "ticker.count"} <= names
    assert all(Path(one.file).is_file() for one in functions)


def test_a_file_that_is_dropped_in_is_an_endpoint(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("first")
    write("second", route="/api/second", text="me too")

    sample = build(discover(tmp_path))

    assert sample.call("GET", "/api/second").json == {"text": "me too"}


def test_two_folders_may_hold_files_of_one_name(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "say.py").write_text(ENDPOINT.format(route="/say", method="GET", text=name), encoding="utf-8")
        texts.append(build(discover(folder)).call("GET", "/say").json["text"])

    assert texts == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("syntax_error", "syntax error in line 5: expected ':'"),
        ("import_error", "ModuleNotFoundError: No module named 'a_library_that_nobody_has'"),
        ("crash_at_import", "RuntimeError: not today"),
        ("no_declaration", "no declaration: decorate a handler with @function"),
        ("unknown_auth", "unknown auth 'admin'"),
        ("unknown_method", "unknown method 'FETCH'"),
        ("unknown_limit", "unknown limit 'coffee'"),
        ("unknown_error", "unknown error code 'OOPS'"),
        ("body_on_get", "GET takes no body"),
        ("lax_body", "Lax lets unknown fields pass"),
        ("lax_query", "Lax lets unknown fields pass"),
        ("body_no_struct", "is no msgspec Struct"),
        ("wrong_body", "but declares body=Strict"),
        ("wrong_call", "x must take a Call[...]"),
        ("no_annotations", "x lacks annotations"),
        ("no_return", "x lacks annotations"),
        ("two_arguments", "x must take one argument"),
        ("unreadable_annotation", "the annotations of x cannot be read"),
        ("bad_route", "must start with a slash"),
        ("bad_status", "status 404 is no success"),
        ("no_summary", "the summary is empty"),
    ],
)
def test_a_broken_file_is_named_with_its_reason(tmp_path: Path, name: str, reason: str) -> None:
    shutil.copy(BROKEN / f"{name}.py", tmp_path)

    with pytest.raises(DiscoveryError) as caught:
        discover(tmp_path)

    assert str(caught.value).startswith(f"{tmp_path / name}.py: ")
    assert reason in caught.value.reason


def test_every_broken_sample_has_its_test() -> None:
    tested = set()
    for mark in test_a_broken_file_is_named_with_its_reason.pytestmark:  # type: ignore[attr-defined]
        tested |= {row[0] for row in mark.args[1]}

    assert tested | {"unknown_guard"} == {file.stem for file in BROKEN.glob("*.py")}


def test_a_guard_that_was_not_handed_in_is_named_with_the_file(tmp_path: Path) -> None:
    shutil.copy(BROKEN / "unknown_guard.py", tmp_path)

    with pytest.raises(DiscoveryError, match=r"unknown_guard\.py: unknown guard 'dog'; there is breaker"):
        build(discover(tmp_path))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("/api/said", "/api/said", id="same"),
        pytest.param("/api/said/{id}", "/api/said/{name}", id="fields of another name"),
    ],
)
def test_two_functions_of_one_route_are_refused(
    tmp_path: Path, write: Callable[..., Path], first: str, second: str
) -> None:
    write("a", route=first)
    write("b", route=second)

    with pytest.raises(DiscoveryError, match=r"b\.py: GET .* is declared in .*a\.py already"):
        discover(tmp_path)


def test_two_methods_of_one_route_may_live_in_two_files(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("a", method="GET", text="got")
    write("b", method="POST", text="posted")

    sample = build(discover(tmp_path))

    assert sample.call("GET", "/api/said").json == {"text": "got"}
    assert sample.call("POST", "/api/said").json == {"text": "posted"}


def test_an_imported_handler_is_not_declared_twice(tmp_path: Path) -> None:
    (tmp_path / "again.py").write_text(
        "from tests.sample_functions.good.greet import greet  # noqa: F401\n", encoding="utf-8"
    )

    with pytest.raises(DiscoveryError, match="no declaration"):
        discover(tmp_path)


def test_a_folder_without_functions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match="no function in here"):
        discover(tmp_path)
    with pytest.raises(DiscoveryError, match="no such folder"):
        discover(tmp_path / "nowhere")


def test_the_shipped_functions_are_sound() -> None:
    functions = discover(Path(__file__).parents[3] / "functions")

    refuse_duplicates(functions)
    assert {"/api/time", "/healthz", "/readyz", "/version", "/metrics", "/openapi.json", "/docs"} <= {
        one.route for one in functions
    }
