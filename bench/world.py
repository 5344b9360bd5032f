"""What a gate needs to be measured: keys, a board full of people, sessions, a venue with its poster. All synthetic."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final, NamedTuple

from tianfu.access.channel import Channel
from tianfu.access.session import Audience, Session, SessionKeys, new_session_id
from tianfu.clock import now_milliseconds
from tianfu.passcode.issue import Issuer
from tianfu.platform.keyring import GateKeys
from tianfu.platform.sign import KeyPurpose
from tianfu.status.board import BoardWriter
from tianfu.status.layout import VenueRecord
from tianfu.status.record import BoardRecord, pack
from tianfu.venues.poster import PosterClaim, poster_text

PUBLIC_ORIGIN: Final = "http://localhost:8000"
SEED: Final = 20_261_123
SESSIONS: Final = 4_000
POSTERS: Final = 200
_BATCH: Final = 100_000
_SESSION_SECONDS: Final = 86_400
_COLOUR_GREEN: Final = 1
# Of nineteen residents nine come through WeChat, and so on.
_ENTRIES: Final = [Channel.WECHAT] * 9 + [Channel.ALIPAY] * 5 + [Channel.APP] * 3 + [Channel.WEB] * 2
_TEST_NEGATIVE: Final = 1


class World(NamedTuple):
    """The parts that requests are made of. `var` is the data folder of the gate."""

    var: Path
    ring: GateKeys
    residents: list[str]
    channels: list[str]
    guards: list[str]
    posters: list[str]
    people: int


def build(var: Path, *, people: int) -> World:
    """A data folder for a gate that knows `people` people; one million take three seconds."""
    ring = GateKeys.load_or_create(var / "keys" / "gate.json")
    at_ms = now_milliseconds()
    at_minutes = at_ms // 60_000
    writer = BoardWriter.open(var / "board")
    for first in range(1, people + 1, _BATCH):
        batch = range(first, min(first + _BATCH, people + 1))
        rows = (
            (
                person,
                pack(
                    BoardRecord(
                        _COLOUR_GREEN, 0, 0, 1, _TEST_NEGATIVE, 0, at_minutes - person % 2880, 0, at_minutes, person
                    )
                ),
            )
            for person in batch
        )
        writer.put(rows, sequence=batch[-1], at_ms=at_ms)
    random_source = random.Random(SEED)
    claims = [
        PosterClaim(random_source.randbytes(16), 1, "510104", "market", f"测试菜市场 {number}")
        for number in range(POSTERS)
    ]
    writer.put_venues(
        ((claim.venue_id, VenueRecord(number, 1, open=True)) for number, claim in enumerate(claims, 1)), sequence=1
    )
    writer.close()
    signer = ring.at(at_ms // 1000).signers[KeyPurpose.VENUE]
    channels = [_ENTRIES[number % len(_ENTRIES)] for number in range(SESSIONS)]
    return World(
        var=var,
        ring=ring,
        residents=[
            _token(ring, Audience.RESIDENT, random_source.randint(1, people), 0, channel) for channel in channels
        ],
        channels=[channel.name.lower() for channel in channels],
        guards=[_token(ring, Audience.GUARD, account, account, Channel.GUARD) for account in range(1, 65)],
        posters=[poster_text(signer, claim, PUBLIC_ORIGIN) for claim in claims],
        people=people,
    )


def codes(world: World, count: int) -> list[str]:
    """`count` codes of as many holders, signed now; a core makes 25,000 a second."""
    at_seconds = now_milliseconds() // 1000
    issuer = Issuer(world.ring)
    return [
        issuer.issue(_session(Audience.RESIDENT, 1 + number % world.people, 0), _COLOUR_GREEN, 1, at_seconds).text
        for number in range(count)
    ]


def _token(ring: GateKeys, audience: Audience, subject: int, venue: int, channel: Channel) -> str:
    return SessionKeys(ring).issue(_session(audience, subject, venue, channel), now_milliseconds() // 1000)


def _session(audience: Audience, subject: int, venue: int, channel: Channel = Channel.WEB) -> Session:
    expires_at = now_milliseconds() // 1000 + _SESSION_SECONDS
    return Session(audience, new_session_id(), subject, venue, "测*", "5101**********123X", expires_at, channel)
