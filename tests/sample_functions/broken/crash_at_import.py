from __future__ import annotations

raise RuntimeError("not today")
