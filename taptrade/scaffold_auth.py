"""What `taptrade new --auth` changes of an endpoint's scaffold: who may call it, what is known of them, its test."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, get_args

from taptrade.scaffolds import Scaffold

Auth = Literal["none", "session", "optional", "operator"]
AUTHS: tuple[Auth, ...] = get_args(Auth)

FIRST_OF_RUNTIME = re.compile(r"^from runtime\.", re.MULTILINE)
HANDLER = re.compile(r'^def NAME\(call: .*\n    """.*"""\n', re.MULTILINE)
ASKS = re.compile(r'(trial\.call\("METHOD", "ASKED.*)\)$', re.MULTILINE)


class Known(NamedTuple):
    """What a handler knows of who asks, and what a test says to be it."""

    imported: str
    who: str
    signs_in: str
    test: str


REFUSED = """

def test_nobody_else_is_heard(trial: Trial) -> None:
    result = trial.call("METHOD", "ASKED"BODY)
    assert (result.status_code, result.json["code"]) == (401, "UNAUTHENTICATED")
"""
HEARD = """

def test_who_is_not_signed_in_is_heard_too(trial: Trial) -> None:
    assert trial.call("METHOD", "ASKED"BODY).status_code == 200
"""
KNOWN = {
    "session": Known(
        "from runtime.auth.sessions import signed_in\n",
        "signed_in(call.session).user_id",
        "trial.sign_in()",
        REFUSED,
    ),
    "optional": Known("", 'call.session.user_id if call.session else "nobody"', "trial.sign_in()", HEARD),
    "operator": Known(
        "from runtime.auth.operators import operating\n", "operating(call.session).who", "trial.operate()", REFUSED
    ),
}


def with_auth(scaffold: Scaffold, auth: Auth) -> Scaffold:
    """Let an endpoint's scaffold be called by whom `auth` says, log who it was, and be called so by its test."""
    if auth == "none":
        return scaffold
    known = KNOWN[auth]
    text = scaffold.function.replace('auth="none"', f'auth="{auth}"')
    text = FIRST_OF_RUNTIME.sub(f"{known.imported}\\g<0>", text, count=1)
    text = HANDLER.sub(f'\\g<0>    logger.info("asked by %s", {known.who})\n', text)
    if auth == "operator":
        text = text.replace(" Call,", " OperatorCall,").replace(" Call[", " OperatorCall[")
    body = ', {"text": "hello"}' if scaffold.data else ""
    test = ASKS.sub(f"\\1, headers={known.signs_in})", scaffold.test)
    return scaffold._replace(function=text, test=test + known.test.replace("BODY", body))
