"""The comparison: show, scan and check in the stack that most teams would build. `python -m bench.usual.app PORT`.

FastAPI on uvicorn with uvloop and httptools, asyncpg with a pool and prepared statements, PostgreSQL that syncs its
log before a visit is answered. Tuned where it is known to matter: one statement a request, no dependency injection,
no reset of a connection between requests, answers written by Pydantic straight to bytes (a tenth faster than leaving
it to the framework), no access log.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

import asyncpg
import jwt
import uvicorn
from fastapi import Cookie, FastAPI, HTTPException, Response
from pydantic import BaseModel

from bench.usual import store
from bench.usual.tokens import CODE_LIFE_SECONDS, REFRESH_AFTER_SECONDS, Keys

# Measured with 64 clients on one core: 8, 16 and 32 give the same rate, and with 32 the slowest wait a third as long.
POOL: Final = 32
URL: Final = "BENCH_USUAL_URL"
SEED: Final = "BENCH_USUAL_SEED"


class Test(BaseModel):
    """The last test."""

    result: str
    sampled_at: int
    hours: int


class Status(BaseModel):
    """What every answer carries."""

    colour: str
    popup: str
    reason: str
    rule_set: int
    test: Test | None
    masked_name: str
    server_time: int


class Shown(Status):
    """The answer of show."""

    code: str
    issued_at: int
    refresh_at: int
    expires_at: int
    masked_document: str


class Venue(BaseModel):
    """Where a visit was."""

    name: str
    category: str
    district: str
    venue_ref: int


class Scanned(Status):
    """The answer of scan."""

    venue: Venue
    masked_document: str


class Checked(Status):
    """The answer of check."""

    verdict: str


class ScanBody(BaseModel):
    """What a phone sends: the venue's number in hexadecimal, and a number by which a repeated scan is known."""

    venue: str
    nonce: str


class CheckBody(BaseModel):
    """What a scanner sends."""

    code: str


class Desk:
    """The three operations."""

    def __init__(self, url: str, keys: Keys) -> None:
        """Connect in `running`."""
        self._url = url
        self._keys = keys
        self._pool: asyncpg.Pool[Any]

    @contextlib.asynccontextmanager
    async def running(self, _app: FastAPI) -> AsyncGenerator[None, None]:
        """Hold the pool while the application runs."""
        async with asyncpg.create_pool(self._url, min_size=POOL, max_size=POOL, reset=_keep) as self._pool:
            yield

    async def show(self, tianfu_session: Annotated[str, Cookie()]) -> Response:
        """A fresh code and the status now."""
        session = self._session(tianfu_session)
        row = await self._pool.fetchrow(store.STATUS, int(session["sub"]))
        now = int(time.time())
        answer = Shown(
            **_status(row, session["name"], now),
            code=self._keys.code(session["sub"], session["name"], now),
            issued_at=now,
            refresh_at=now + REFRESH_AFTER_SECONDS,
            expires_at=now + CODE_LIFE_SECONDS,
            masked_document=session["document"],
        )
        return _json(answer)

    async def scan(self, body: ScanBody, tianfu_session: Annotated[str, Cookie()]) -> Response:
        """A visit, in the table before the answer."""
        session = self._session(tianfu_session)
        venue, nonce = bytes.fromhex(body.venue), bytes.fromhex(body.nonce)
        row = await self._pool.fetchrow(store.SCAN, int(session["sub"]), venue, nonce)
        if row is None:
            raise HTTPException(422, "venue unknown")
        answer = Scanned(
            **_status(row, session["name"], int(time.time())),
            venue=Venue(name=row[7], category=row[8], district=row[9], venue_ref=row[6]),
            masked_document=session["document"],
        )
        return _json(answer)

    async def check(self, body: CheckBody, tianfu_operator: Annotated[str, Cookie()]) -> Response:
        """A guard's check of a code: verified, in the table before the answer, the second time marked."""
        guard = self._session(tianfu_operator)
        try:
            code = self._keys.verified(body.code)
        except jwt.InvalidTokenError as error:
            raise HTTPException(422, "code invalid") from error
        row = await self._pool.fetchrow(
            store.CHECK, int(code["sub"]), guard["venue"], int(guard["sub"]), bytes.fromhex(code["jti"])
        )
        answer = Checked(
            **_status(row, code["name"], int(time.time())), verdict="valid" if row["is_first"] else "already_used"
        )
        return _json(answer)

    def _session(self, text: str) -> dict[str, Any]:
        try:
            return self._keys.opened(text)
        except jwt.InvalidTokenError as error:
            raise HTTPException(401, "please log in") from error


def application(url: str, keys: Keys) -> FastAPI:
    """The three routes, at the gate's own addresses."""
    desk = Desk(url, keys)
    app = FastAPI(lifespan=desk.running, openapi_url=None)
    app.get("/gate/v1/code")(desk.show)
    app.post("/gate/v1/scan")(desk.scan)
    app.post("/gate/v1/check")(desk.check)
    return app


async def _keep(_connection: object) -> None:
    """Between requests a connection needs no reset: nothing here changes its settings or listens."""


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


def _status(row: Any, name: str, now: int) -> dict[str, Any]:  # noqa: ANN401 - the driver has no types
    test = None if row[4] is None else Test(result=row[4], sampled_at=row[5], hours=(now - row[5]) // 3600)
    return {
        "colour": row[0],
        "popup": row[1],
        "reason": row[2],
        "rule_set": row[3],
        "test": test,
        "masked_name": name,
        "server_time": now,
    }


if __name__ == "__main__":
    uvicorn.run(
        application(os.environ[URL], Keys(bytes.fromhex(os.environ[SEED]))),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
    )
