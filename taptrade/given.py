"""What each function was given as settings of its own, for people: secrets as stars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import msgspec

from runtime.errors import TaptradeError
from runtime.function_files import functions_folder
from runtime.function_settings import Declares, file_of, given_to
from runtime.function_versions import in_service, take_up
from runtime.settings import Settings
from runtime.triggers.discovery import triggers_in
from runtime.web.discovery import discover


@dataclass(frozen=True, slots=True)
class Given:
    """One setting of a function, its value as it may be shown; or what is wrong, and nothing else."""

    function: str
    name: str = ""
    value: str = ""
    default: str = ""
    fault: str = ""


def described(settings: Settings) -> Iterator[str]:
    """Yield a line for each setting of each function in service; where one is lacking or wrong, what is wrong."""
    file = file_of(settings)
    for one in _given(settings):
        of_it = f"    of the function {one.function} ({file}; {one.default or 'required'})"
        yield one.fault or f"[{one.function}] {one.name}={one.value}\n{of_it}"


def as_json(settings: Settings) -> Iterator[dict[str, str]]:
    """Yield the same for programs."""
    return map(asdict, _given(settings))


def _given(settings: Settings) -> Iterator[Given]:
    file = file_of(settings)
    try:
        take_up(settings.data, in_service(settings.data))
        folder = functions_folder()
        functions: list[Declares] = [*discover(folder), *triggers_in(folder)]
    except TaptradeError as ex:
        yield Given("", fault=f"the settings of functions are not known: {ex}")
        return
    for one in functions:
        try:
            values = given_to([one], file)
        except TaptradeError as ex:
            yield Given(one.name, fault=str(ex))
            continue
        for own in values.values():
            for field in msgspec.structs.fields(own):
                default = "" if field.required else f"default {field.default!r}"
                yield Given(one.name, field.name, repr(getattr(own, field.name)), default)
