"""Scanning a venue's poster: session, poster, board, and the visit durable before the answer."""

from __future__ import annotations

import json

from bench.budget import Budget, post
from bench.world import World


def requests(world: World) -> list[bytes]:
    """Every session at one of the venues."""
    return [
        post(
            "/gate/v1/scan",
            f"tianfu_session={token}",
            json.dumps({"poster": world.posters[number % len(world.posters)], "nonce": f"{number:016x}"}).encode(),
        )
        for number, token in enumerate(world.residents)
    ]


BUDGET = Budget("scan", "venue scan, durable before the answer", 25_000, 0.0, requests)
