"""Reading one person's record: authorised by role, place and purpose, counted, and written where the person sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from litestar import Response, post
from litestar.params import RawBody

from tianfu.access import budget
from tianfu.access.accounts import Account
from tianfu.access.budget import ReadBudgetSpentError
from tianfu.access.decide import Allowed, ForbiddenError, Refused, Resource, Verdict, decide
from tianfu.access.roles import Action, Purpose
from tianfu.audit import trail
from tianfu.console.forms import ExplanationForm
from tianfu.console.parts import Console, ConsoleParts, operator
from tianfu.errors import NotFoundError
from tianfu.ids import PersonRef, parse_person_ref
from tianfu.platform import api
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.policy.explain import Explanation, explain
from tianfu.residents import store as residents
from tianfu.status import store as statuses

ACTION: Final = "explain"
REFUSED: Final = "explain_refused"


@post("/explanations", status_code=200, operation_class=documented(ExplanationForm), sync_to_thread=True)
def explain_person(request: AnyRequest, console: ConsoleParts, body: RawBody) -> Response[Explanation]:
    """Why a person has the colour they have. The person sees that it was read, by which role and for what."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(ExplanationForm, body)
    person = parse_person_ref(sent.person)
    purpose = sent.stated
    language = api.reader_language(request)
    answer = _read_record(console, account, person, purpose, language, at)
    return Response(answer, headers={"content-language": language})


def _detail(verdict: Verdict, *, within: bool) -> dict[str, str]:
    """The role that allows it, or why it is refused."""
    if isinstance(verdict, Refused):
        return {"reason": verdict.reason.value}
    return {"role": verdict.grant.role.value} | ({} if within else {"reason": "budget"})


def _read_record(
    console: Console, account: Account, person: PersonRef, purpose: Purpose, language: str, at: datetime
) -> Explanation:
    """The explanation, once the reading is allowed, counted and in the trail; all in one transaction.

    A refused reading is counted and recorded too, and tells nothing of whether there is such a person.
    """
    explanation: Explanation | None = None
    with console.database.write(db.Purpose.OPERATOR) as write:
        within = budget.spend(write, account.account_ref, at)
        place = residents.district_of(write, person)
        verdict = decide(account.principal, Action.EXPLAIN_PERSON, Resource(place=place), purpose=purpose)
        allowed = within and isinstance(verdict, Allowed)
        status = statuses.read_many(write, [person]).get(person) if allowed else None
        if status is not None:
            policy, decision = console.policies.as_told(write, status.decision, at)
            explanation = explain(policy, decision, language)
        trail.record(
            write,
            trail.Entry(
                at=at,
                actor_kind="operator",
                actor=account.username,
                action=ACTION if allowed else REFUSED,
                purpose=purpose.value,
                person=person,
                detail=_detail(verdict, within=within),
            ),
        )
    if not within:
        console.log.error("an account has spent its reading budget", code=ReadBudgetSpentError.code)
        raise ReadBudgetSpentError
    if not allowed:
        raise ForbiddenError
    if explanation is None:
        raise NotFoundError
    return explanation
