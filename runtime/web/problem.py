"""The form of every refusal (RFC 9457); what a code brings beside it is a type that inherits this one."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import msgspec

from runtime.errors import OwnRefusal
from runtime.web.meanings import docstring


class Problem(msgspec.Struct, frozen=True):
    """An error (RFC 9457): a stable `code`, a sentence for people, and whether the very same may succeed later."""

    type: str
    """`about:blank`: the code says more than an address could."""
    title: str
    """The HTTP status in words."""
    status: int
    """The HTTP status."""
    code: str
    """The stable code; it never changes its meaning."""
    detail: str
    """What happened, in a sentence for people."""
    request_id: str
    """The id of the request, as the logs have it."""
    retryable: bool
    """Whether the very same request may succeed later."""


def problem_of(refusal: type[OwnRefusal]) -> type[Problem]:
    """Make the type of what a function's own refusal answers, with the meanings that stand below its fields."""
    code: Any = Literal[refusal.default_code]
    fields: list[tuple[str, Any]] = [("code", code)]
    for name, form in refusal.carried().items():
        said = docstring(refusal, name)
        fields.append((name, Annotated[form, msgspec.Meta(description=said)] if said else form))
    made = msgspec.defstruct(
        f"{refusal.__name__}Problem",
        fields,
        bases=(Problem,),
        namespace={"__doc__": refusal.own_code.meaning},
        module=refusal.__module__,
        frozen=True,
        kw_only=True,
    )
    return cast("type[Problem]", made)
