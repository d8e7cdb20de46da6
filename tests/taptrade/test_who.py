"""Who answers for what an operator does: whoever is logged in, in all commands alike, or who is named."""

from __future__ import annotations

import json
import os
import pwd

import pytest

from tests.taptrade.office import Office

WALLET = f"0x{1:040x}"


def test_the_help_shows_who_one_seems_to_be(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ann")
    said = office.run("deposit", "--help")
    assert (said.code, "default: your login, ann" in " ".join(said.out.split())) == (0, True)


@pytest.mark.parametrize("variable", ["SUDO_USER", "LOGNAME", None])
def test_whoever_is_logged_in_answers_for_it_also_where_no_variable_says_who(
    office: Office, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    for name in ("SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "ada")
    said = office.run("deposit", office.desk.player(cents=0), 1050, "--reference", "wire-7", "--why", "wire came in")
    assert (said.code, said.err) == (0, "")
    who = "ada" if variable else pwd.getpwuid(os.getuid()).pw_name
    sql = "SELECT metadata FROM transaction_ledger WHERE ref_type = 'DEPOSIT'"
    ((metadata,),) = office.desk.database.execute(sql)
    assert json.loads(metadata) == {"who": who, "why": "wire came in"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("deposit", WALLET, "5", "--reference", "r"),
        ("adjust", WALLET, "5", "--reference", "r"),
        ("withdrawal", "complete", "0" * 26, "--reference", "r"),
        ("withdrawal", "reverse", "0" * 26, "--reference", "r"),
        ("market", "open", "20-50x/7"),
        ("breaker", "open"),
    ],
)
@pytest.mark.parametrize("known", [None, "", "a\nb"])
def test_where_nobody_is_logged_in_somebody_must_answer_for_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], known: str | None
) -> None:
    def getuser() -> str:
        if known is None:
            raise KeyError("getpwuid(): uid not found: 12345")
        return known

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("getpass.getuser", getuser)
    said = office.run(*arguments, "--why", "because")
    assert (said.code, said.out) == (2, "")
    assert said.err.endswith("error: say by --who NAME who answers for it: your login is not known here\n")
