"""Showing a code: session, board, ES256 signature, JSON; and again within the seconds in which a code is kept."""

from __future__ import annotations

from typing import Final

from bench.budget import Budget, get
from bench.world import World

# Whoever reloads and reloads gets the code made at most ten seconds ago. At 45,000 a second each of so few sessions
# asks 90 times a second, so one answer in 900 is signed anew.
RELOADING: Final = 500


def requests(world: World) -> list[bytes]:
    """One request for each of the sessions, by a fresh signature whatever was made before."""
    return [get("/gate/v1/code?fresh=1", f"tianfu_session={token}") for token in world.residents]


def reloads(world: World) -> list[bytes]:
    """A storm of reloads by a few sessions."""
    return [get("/gate/v1/code", f"tianfu_session={token}") for token in world.residents[:RELOADING]]


BUDGET: Final = Budget("show", "show a freshly signed code", 20_000, 0.3, requests)
VALID: Final = Budget("show-valid", "show a code whose signature is still valid", 45_000, 0.0, reloads)
