"""The operators' API: its routes in one list."""

from __future__ import annotations

from typing import Final

from litestar import Router
from litestar.di import Provide

from tianfu.console import (
    confirmations,
    explain,
    exports,
    followup,
    handover,
    incidents,
    indicators,
    lookup,
    merges,
    notices,
    screening,
    shift,
    venues,
)
from tianfu.console.parts import Console
from tianfu.platform.api import API_PATH

CONSOLE_PATH: Final = f"{API_PATH}/console"


def routes(console: Console) -> Router:
    """Everything a manager, guard, desk officer or epidemiologist asks for, but the check, which is the gate's."""
    return Router(
        path=CONSOLE_PATH,
        route_handlers=[
            shift.sign_in,
            shift.sign_out,
            shift.me,
            venues.create_venue,
            venues.create_vehicle,
            venues.my_venues,
            venues.poster,
            venues.bind_guard,
            venues.renew_poster,
            venues.close_venue,
            explain.explain_person,
            lookup.look_up,
            *incidents.ROUTES,
            exports.export_list,
            *merges.ROUTES,
            *followup.HANDLERS,
            *handover.HANDLERS,
            *notices.HANDLERS,
            *indicators.HANDLERS,
            *screening.HANDLERS,
            *confirmations.HANDLERS,
        ],
        dependencies={"console": Provide(lambda: console, sync_to_thread=False)},
    )
