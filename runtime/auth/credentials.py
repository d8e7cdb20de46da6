"""Which session a request carries: a bearer token, or the page's cookie from the page's own origin."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import falcon

from runtime.auth.domains import Domains
from runtime.auth.sessions import Session, Sessions
from runtime.errors import Forbidden
from runtime.hosts import without_default_port

COOKIE = "taptrade_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def authenticator(sessions: Sessions, domains: Domains) -> Callable[[falcon.Request], Session | None]:
    """Return the function that finds a request's session; None means that there is none."""

    def authenticate(req: falcon.Request) -> Session | None:
        token = bearer_token(req)
        if token is not None:
            return sessions.find(token)
        cookies = req.get_cookie_values(COOKIE) or []
        if len(cookies) != 1:  # two of one name: a neighbouring site may have planted one
            return None
        if req.method not in SAFE_METHODS and not is_same_origin(req, domains):
            raise Forbidden("A session cookie is only taken from the page's own origin.")
        return sessions.find(cookies[0])

    return authenticate


def bearer_token(req: falcon.Request) -> str | None:
    """Return the token of `Authorization: Bearer`, "" if it brings none; None where another scheme or none is used.

    Another scheme is not for us: a browser sends the password of the site in front of us beside the cookie.
    """
    scheme, _, token = (req.get_header("Authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def is_same_origin(req: falcon.Request, domains: Domains) -> bool:
    """Tell whether a browser says that the request comes from a page of ours."""
    site = req.get_header("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return _is_own(req.get_header("Origin"), req, domains)


def is_foreign(req: falcon.Request, domains: Domains) -> bool:
    """Tell whether a browser says that the request comes from a page of somebody else's."""
    site, origin = req.get_header("Sec-Fetch-Site"), req.get_header("Origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and not _is_own(origin, req, domains)


def set_cookie(req: falcon.Request, resp: falcon.Response, token: str, session: Session) -> None:
    """Give the page its session cookie, for as long as the session; scripts cannot read it, other sites not send it."""
    send_cookie(req, resp, COOKIE, token, max_age_s=(session.expires_ms - session.created_ms) // 1000, path="/")


def send_cookie(
    req: falcon.Request, resp: falcon.Response, name: str, token: str, *, max_age_s: int, path: str
) -> None:
    """Set a cookie that scripts cannot read and other sites do not send."""
    resp.set_cookie(
        name, token, max_age=max_age_s, path=path, secure=_is_https(req), http_only=True, same_site="Strict"
    )


def clear_cookie(resp: falcon.Response) -> None:
    """Take the session cookie back."""
    resp.unset_cookie(COOKIE, path="/", same_site="Strict")


def _is_own(origin: str | None, req: falcon.Request, domains: Domains) -> bool:
    try:
        parts = urlsplit(origin or "")
    except ValueError:
        return False
    host = req.get_header("Host") or ""
    is_asked = host != "" and without_default_port(parts.netloc) == without_default_port(host)
    return parts.scheme in ("http", "https") and (is_asked or domains.find(parts.netloc) is not None)


def _is_https(req: falcon.Request) -> bool:
    return req.forwarded_scheme == "https"
