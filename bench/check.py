"""A guard's check of a live code: session, signature, replay memory, board, the visit durable before the answer.

Every round signs its own codes, more than it can use up, so that no code comes twice.
"""

from __future__ import annotations

import json
from typing import Final

from bench.budget import Budget, post
from bench.world import World, codes

# A round lasts five seconds and half a second of warm-up: 50,000 at 9,000 a second; a faster gate begins again.
CODES: Final = 70_000


def requests(world: World, count: int = CODES) -> list[bytes]:
    """Fresh codes, held up to the guards in turn."""
    return [
        post(
            "/gate/v1/check",
            f"tianfu_operator={world.guards[number % len(world.guards)]}",
            json.dumps({"code": code}).encode(),
        )
        for number, code in enumerate(codes(world, count))
    ]


BUDGET = Budget("check", "guard's check of a live code, durable, replay-checked", 9_000, 0.0, requests)
