from runtime.function import Call, function


@function("GET", "/api/x", auth="none", summary="X")
def x(call: Call[None]) -> None
    return None
