"""Showing a freshly signed code: session, board, ES256 signature, JSON."""

from __future__ import annotations

from bench.budget import Budget, get
from bench.world import World


def requests(world: World) -> list[bytes]:
    """One request for each of the sessions."""
    return [get("/gate/v1/code?fresh=1", f"tianfu_session={token}") for token in world.residents]


BUDGET = Budget("show", "show a freshly signed code", 20_000, 0.3, requests)
