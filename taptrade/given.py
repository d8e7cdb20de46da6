"""What each function was given as settings of its own, for people: secrets as stars."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from runtime.errors import TaptradeError
from runtime.function_files import functions_folder
from runtime.function_settings import Declares, file_of, given_to
from runtime.function_versions import in_service, take_up
from runtime.settings import Settings
from runtime.triggers.discovery import triggers_in
from runtime.web.discovery import discover


def described(settings: Settings) -> Iterator[str]:
    """Yield a line for each setting of each function in service; where one is lacking or wrong, what is wrong."""
    file = file_of(settings)
    try:
        take_up(settings.data, in_service(settings.data))
        folder = functions_folder()
        functions: list[Declares] = [*discover(folder), *triggers_in(folder)]
    except TaptradeError as ex:
        yield f"the settings of functions are not known: {ex}"
        return
    for one in functions:
        try:
            values = given_to([one], file)
        except TaptradeError as ex:
            yield str(ex)
            continue
        for own in values.values():
            for field in msgspec.structs.fields(own):
                value = getattr(own, field.name)
                default = "required" if field.required else f"default {field.default!r}"
                yield f"[{one.name}] {field.name}={value!r}\n    of the function {one.name} ({file}; {default})"
