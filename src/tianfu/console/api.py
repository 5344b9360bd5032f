"""The operators' API: its routes in one list."""

from __future__ import annotations

from typing import Final

from litestar import Router
from litestar.di import Provide

from tianfu.console import explain, followup, handover, indicators, lookup, notices, shift, venues
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
            followup.plan_tasks,
            followup.tasks,
            followup.assign,
            followup.open_person,
            followup.outcome,
            followup.interviewed,
            handover.ask,
            handover.answer,
            handover.handovers,
            handover.letter,
            notices.queue,
            notices.states,
            notices.text,
            indicators.board,
            indicators.counties,
            indicators.subjects,
        ],
        dependencies={"console": Provide(lambda: console, sync_to_thread=False)},
    )
