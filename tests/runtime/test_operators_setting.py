"""TAPTRADE_OPERATORS: which wallets it takes, and how it refuses others."""

from __future__ import annotations

import pytest

from runtime.settings import SettingsError, load

LOWER = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
SHOWN = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
OTHER = "0x" + "01" * 20


@pytest.mark.parametrize(
    ("text", "wallets"),
    [
        pytest.param("", (), id="empty: nobody"),
        pytest.param(LOWER, (LOWER,), id="lower case"),
        pytest.param(SHOWN, (LOWER,), id="with its checksum"),
        pytest.param(f" {SHOWN} ,{OTHER} ", (LOWER, OTHER), id="several"),
        pytest.param(",".join(f"0x{one:040x}" for one in range(32)), None, id="32"),
    ],
)
def test_wallets_are_kept_in_lower_case(text: str, wallets: tuple[str, ...] | None) -> None:
    found = load({"TAPTRADE_OPERATORS": text}).operators
    assert found == (wallets if wallets is not None else tuple(f"0x{one:040x}" for one in range(32)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(SHOWN.replace("E", "e", 1), "fails its EIP-55 checksum", id="a letter of the wrong case"),
        pytest.param(LOWER.upper().replace("0X", "0x"), "fails its EIP-55 checksum", id="upper case"),
        pytest.param(LOWER[:-1], "40 hex digits", id="a digit short"),
        pytest.param("vitalik.eth", "40 hex digits", id="a name"),
        pytest.param(f"{LOWER},", "40 hex digits", id="a comma too many"),
        pytest.param(f"{LOWER},{SHOWN}", "different", id="twice, in two spellings"),
        pytest.param(",".join(f"0x{one:040x}" for one in range(33)), "at most 32", id="33"),
    ],
)
def test_others_are_refused_with_the_variable_and_the_reason(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=rf"^TAPTRADE_OPERATORS=.*{sentence}"):
        load({"TAPTRADE_OPERATORS": text})
