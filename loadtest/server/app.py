"""Two functions that do nothing, in the framework that all functions live in."""

from __future__ import annotations
