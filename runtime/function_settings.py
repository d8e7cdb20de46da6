"""Settings and secrets of single functions: declared beside the handler, given in one file, handed to it alone.

    class Mailing(FunctionSettings, frozen=True):
        key: Secret
        sender: str = "house@example.com"

    @on_queue("mails", body=Mail, settings=Mailing)
    def mail(run: Run[Mail]) -> None:
        key = run.own_settings(Mailing).key.reveal()

The file is TOML, a table a function. A value `{ file = "NAME" }` stands in a file of its own: one of the credentials
that the service manager hands over, else one beside the settings, unless its path is absolute.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import msgspec

from runtime.errors import TaptradeError
from runtime.function_files import DiscoveryError
from runtime.settings import Settings

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""The variable by which systemd says where a unit's credentials are."""
OTHERS = 0o077
NONE_GIVEN: Mapping[str, Any] = MappingProxyType({})


class FunctionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the settings of a function inherit, as `class Mailing(FunctionSettings, frozen=True)`."""


class Secret:
    """A text that shows as stars wherever it is printed or logged."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "***"

    def reveal(self) -> str:
        """Return the text."""
        return self._text


class NotItsSettings(TaptradeError):
    """A function asks for settings that it does not declare, or that it was not given."""


class Declares(Protocol):
    """What is needed of a declaration, whatever starts the function."""

    @property
    def name(self) -> str:
        """The function's name."""
        ...

    @property
    def file(self) -> str:
        """The file that it stands in."""
        ...

    @property
    def settings(self) -> type[FunctionSettings] | None:
        """The type of its settings."""
        ...


S = TypeVar("S", bound=FunctionSettings)


def file_of(settings: Settings) -> Path:
    """Return the file in which the settings of functions are given."""
    named = settings.function_settings
    return Path(named) if named else settings.data / "function_settings.toml"


def complaint_about(form: Any) -> str:
    """Say what is wrong with what a declaration calls its settings; an empty text if nothing is."""
    if form is None or (isinstance(form, type) and issubclass(form, FunctionSettings)):
        return ""
    return f"{form!r} are no settings; inherit runtime.function_settings.FunctionSettings"


def given_to(functions: Iterable[Declares], file: Path) -> dict[str, FunctionSettings]:
    """Return the settings of each function that declares some; raise DiscoveryError that names function and setting."""
    found, faults = as_far_as_given(functions, file)
    for fault in faults.values():
        raise fault
    return found


def as_far_as_given(
    functions: Iterable[Declares], file: Path
) -> tuple[dict[str, FunctionSettings], dict[str, DiscoveryError]]:
    """Return the settings of each function that has its own, and by the names of the others what is wrong with them."""
    declaring = [(one, one.settings) for one in functions if one.settings is not None]
    try:
        tables = read(file) if declaring else {}
    except ValueError as ex:
        faults = {
            one.name: DiscoveryError(one.file, f"{one.name} has settings, and {file} {ex}") for one, _ in declaring
        }
        return {}, faults
    found, faults = dict[str, FunctionSettings](), {}
    for one, form in declaring:
        try:
            found[one.name] = settings_of(form, table_of(tables, one.name), file.parent)
        except ValueError as ex:
            faults[one.name] = DiscoveryError(one.file, f"{one.name} {ex}: see [{one.name}] in {file}")
    return found, faults


def unclaimed(functions: Iterable[Declares], file: Path) -> list[str]:
    """Return a sentence about each table of the file that no function takes: the name may be misspelt, or be of another
    version."""
    forms = {one.name: one.settings for one in functions if one.settings is not None}
    try:
        tables = read(file)
    except ValueError:
        return []  # whoever needs it is told
    return [f"{file}: no function takes the settings of [{name}]" for name in _unclaimed(forms, tables, "")]


def _unclaimed(forms: Mapping[str, type[FunctionSettings]], tables: Mapping[str, Any], within: str) -> Iterator[str]:
    own = forms[within].__struct_fields__ if within in forms else ()
    for key, value in tables.items():
        name = f"{within}.{key}" if within else key
        if not _is_table(value) or key in own:
            continue
        holds = [key for key, inner in value.items() if not _is_table(inner)]
        if name not in forms and (holds or not value):
            yield name
        yield from _unclaimed(forms, value, name)


def own_settings(given: Mapping[str, Any], name: str, form: type[S]) -> S:
    """Return what a function was given as the settings that it declares; raise NotItsSettings."""
    found = given.get(name)
    if found is None:
        raise NotItsSettings(f"{name} was given no settings; does its declaration say settings={form.__name__}?")
    if type(found) is not form:
        raise NotItsSettings(f"{name} declares {type(found).__name__} as its settings, not {form.__name__}")
    return found


def read(file: Path) -> dict[str, Any]:
    """Read the file; no file holds nothing. Raise ValueError, without showing what is in it."""
    try:
        mode = file.stat()
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as ex:
        raise ValueError(f"cannot be read: {getattr(ex, 'strerror', None) or 'it is no text'}") from ex
    if not _is_credential(file) and (stat.S_IMODE(mode.st_mode) & OTHERS or mode.st_uid not in (0, os.geteuid())):
        raise ValueError("can be reached by others: it must be this user's, with mode 600")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as ex:
        raise ValueError(f"is no TOML: {ex}") from None


def table_of(tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the table of a function; `[webhooks.deliver]` is one within another."""
    found: Any = tables
    for part in [name] if name in tables else name.split("."):
        found = found.get(part, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def settings_of(form: type[S], table: Mapping[str, Any], folder: Path = Path()) -> S:
    """Read the settings of a function from its table; raise ValueError that names the setting."""
    known = {field.name: field for field in msgspec.structs.fields(form)}
    lacking = [name for name, field in known.items() if field.required and name not in table]
    # A function of the same file may have a table within this one.
    unknown = [name for name, value in table.items() if name not in known and not _is_table(value)]
    if lacking:
        raise ValueError(f"lacks its setting `{lacking[0]}`")
    if unknown:
        raise ValueError(f"has no setting `{unknown[0]}`, only {', '.join(known)}")
    values = {name: _value(name, table[name], folder) for name in known if name in table}
    try:
        # What comes from a file is text, whatever it means.
        return msgspec.convert(values, form, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as ex:
        raise ValueError(f"has a wrong setting: {ex}") from None


def _value(name: str, value: Any, folder: Path) -> Any:
    if not _is_reference(value):
        return value
    path = Path(value["file"])
    handed = Path(os.environ.get(CREDENTIALS, folder), path)
    path = handed if handed.exists() else folder / path
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as ex:
        reason = getattr(ex, "strerror", None) or "it is no text"
        raise ValueError(f"cannot read its setting `{name}` from {path}: {reason}") from None


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"file"} and isinstance(value["file"], str)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and not _is_reference(value)


def _is_credential(file: Path) -> bool:
    folder = os.environ.get(CREDENTIALS, "")
    return bool(folder) and file.is_relative_to(folder)


def _decode(form: Any, value: Any) -> Any:
    if form is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError("expected a text")
