"""The residents' API: its routes in one list."""

from __future__ import annotations

from typing import Final

from litestar import Router
from litestar.di import Provide

from tianfu.platform.api import API_PATH
from tianfu.portal import credentials, entrance, me
from tianfu.portal.parts import Portal

# Where a phone asks for what it keeps for times without network.
CREDENTIALS_PATH: Final = "/api/portal"


def credential_routes(portal: Portal) -> Router:
    """The printed card and the certificate of the phone."""
    return Router(
        path=CREDENTIALS_PATH,
        route_handlers=[
            credentials.certify_device,
            credentials.print_card,
            credentials.my_card,
            credentials.lose_card,
        ],
        dependencies={"portal": Provide(lambda: portal, sync_to_thread=False)},
    )


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
