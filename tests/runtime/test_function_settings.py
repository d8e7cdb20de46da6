"""Settings of functions: typed, named where one lacks or is wrong, never shown, and handed to their function alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.function_files import DeclarationError, DiscoveryError
from runtime.function_settings import (
    FunctionSettings,
    NotItsSettings,
    Secret,
    given_to,
    own_settings,
    unclaimed,
)
from runtime.triggers import Run, every
from runtime.triggers.declaration import Trigger
from runtime.web.declaration import function


class Mailing(FunctionSettings, frozen=True):
    """What a function that mails needs."""

    key: Secret
    tries: int = 3


class Other(FunctionSettings, frozen=True):
    """What another one needs."""


def declared(name: str, form: type[FunctionSettings] | None = Mailing) -> Trigger:
    """Return a function with settings."""
    return Trigger(print, "every", "", "", 1, 1, 0, 0, settings=form, name=name, file="functions/mail.py")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file that its owner alone may read."""
    file = tmp_path / "given.toml"
    file.touch(0o600)
    return file


def test_each_function_gets_its_own_table_typed(file: Path) -> None:
    file.write_text("[mail]\nkey = 'hush'\ntries = 5\n[mail.again]\nkey = 'other'\n['a.b']\nkey = 'c'\n")
    given = given_to([declared("mail"), declared("mail.again"), declared("a.b"), declared("plain", None)], file)
    found = {name: (one.key.reveal(), one.tries) for name, one in given.items() if isinstance(one, Mailing)}
    assert found == {"mail": ("hush", 5), "mail.again": ("other", 3), "a.b": ("c", 3)}
    assert "hush" not in f"{given} {given['mail']!r}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "mail lacks its setting `key`"),
        ("[mail]\nkey = 'k'\nkye = 'k'\n", "mail has no setting `kye`, only key, tries"),
        ("[mail]\nkey = 5\n", "mail has a wrong setting: "),
        (
            "[mail]\nkey = 'hush'\ntries = 'many'\n",
            "mail has a wrong setting: Expected `int`, got `str` - at `$.tries`",
        ),
        ("[mail]\nkey = {file = 'nowhere'}\n", "mail cannot read its setting `key` from "),
        ("[mail\n", "mail has settings, and "),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence_without_the_value(file: Path, text: str, reason: str) -> None:
    file.write_text(text)
    with pytest.raises(DiscoveryError) as refused:
        given_to([declared("mail")], file)
    told = str(refused.value)
    assert told.startswith(f"functions/mail.py: {reason}")
    assert str(file.parent) in told
    assert "hush" not in told
    assert "\n" not in told


def test_a_table_that_no_function_takes_is_named(file: Path) -> None:
    file.write_text(
        "[mail]\nkey = 'k'\n[mail.again]\nkey = 'k'\n[mail.agian]\nkey = 'k'\n[plain]\n[mial]\n"
        "[parcel]\nkey = {file = 'k'}\n[parcel.post]\nkey = 'k'\n"
    )
    functions = [declared("mail"), declared("mail.again"), declared("plain", None), declared("parcel.post")]
    told = [f"{file}: no function takes the settings of [{name}]" for name in ("mail.agian", "plain", "mial", "parcel")]
    assert unclaimed(functions, file) == told
    file.write_text("[mail\n")
    assert unclaimed([], file) == []
    file.unlink()
    assert unclaimed(functions, file) == []


def test_a_file_that_others_can_read_is_refused(file: Path) -> None:
    file.write_text("[mail]\nkey = 'hush'\n")
    file.chmod(0o640)
    with pytest.raises(DiscoveryError, match="can be reached by others"):
        given_to([declared("mail")], file)


def test_a_value_may_stand_in_a_file_or_be_a_credential(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("[mail]\nkey = {file = 'mail_key'}\ntries = {file = 'tries'}\n")
    (tmp_path / "mail_key").write_text("beside\n")
    (tmp_path / "tries").write_text("7\n")
    handed = tmp_path / "handed"
    handed.mkdir()

    def read() -> tuple[str, int]:
        found: Any = given_to([declared("mail")], file)["mail"]
        return found.key.reveal(), found.tries

    assert read() == ("beside", 7)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    (handed / "mail_key").write_text("handed over")
    assert read() == ("handed over", 7)


def test_settings_are_handed_to_the_function_that_declares_them(file: Path) -> None:
    file.write_text("[mail]\nkey = 'hush'\n")
    given = given_to([declared("mail")], file)
    assert own_settings(given, "mail", Mailing).key.reveal() == "hush"
    with pytest.raises(NotItsSettings, match="mail declares Mailing as its settings, not Other"):
        own_settings(given, "mail", Other)
    with pytest.raises(NotItsSettings, match="other was given no settings"):
        own_settings(given, "other", Mailing)


def test_a_declaration_names_a_type_of_settings() -> None:
    wrong: Any = dict

    def handler(run: Run[None]) -> None:
        """Do nothing."""

    with pytest.raises(DeclarationError, match="are no settings; inherit"):
        every("1 s", settings=wrong)(handler)
    with pytest.raises(DeclarationError, match="are no settings; inherit"):
        function("GET", "/x", auth="none", summary="X", settings=wrong)(handler)
