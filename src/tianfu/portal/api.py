"""The residents' API: its routes in one list."""

from __future__ import annotations

from litestar import Router
from litestar.di import Provide

from tianfu.platform.api import API_PATH
from tianfu.portal import entrance, me
from tianfu.portal.parts import Portal


def routes(portal: Portal) -> Router:
    """Everything a resident's phone asks for, but the code itself, which is the gate's."""
    return Router(
        path=API_PATH,
        route_handlers=[
            entrance.info,
            entrance.consent_texts,
            entrance.divisions,
            entrance.send_password,
            entrance.claim_code,
            entrance.sign_in,
            entrance.sign_out,
            me.me,
            me.give_consents,
            me.declare_health,
            me.my_decision,
            me.my_reads,
        ],
        dependencies={"portal": Provide(lambda: portal, sync_to_thread=False)},
    )
