"""Lists of an incident as files, at the operators' API."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from litestar import Response, post
from litestar.params import FromPath, RawBody

from tianfu.console.incident_forms import TierWord
from tianfu.console.parts import ConsoleParts, operator
from tianfu.console.purposes import StatedForm
from tianfu.errors import Fault, InputInvalidError
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.tracing import incidents
from tianfu.tracing.acting import Actor
from tianfu.tracing.exports import export
from tianfu.tracing.exports.columns import Kind

_Item = TypeVar("_Item")

_MEDIA: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ExportForm(StatedForm, frozen=True, kw_only=True):
    """Which list (`contacts`, `line-list`, `places`), as what (`csv`, `xlsx`), and why it is taken.

    `identities` names people in one's own districts; each of them sees it. `tiers` absent is every tier.
    """

    kind: str = "contacts"
    format: str = "xlsx"
    language: str = "zh"
    identities: bool = False
    tiers: Annotated[tuple[TierWord, ...], msgspec.Meta(min_length=1)] | None = None


@post(
    "/incidents/{incident_no:str}/exports", status_code=200, operation_class=documented(ExportForm), sync_to_thread=True
)
def export_list(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody
) -> Response[bytes]:
    """A list as a file, with the columns of my role and the rows of my districts.

    Raises `ForbiddenError`, `IncidentNotFoundError`, `IdentitiesTooManyError`, `InputInvalidError`.
    """
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(ExportForm, body)
    purpose = sent.stated
    kind = _one("kind", sent.kind, {item.value: item for item in Kind})
    media = _one("format", sent.format, _MEDIA)
    language = _one("language", sent.language, {"zh": "zh", "en": "en"})
    with console.database.read(db.Purpose.OPERATOR) as read:
        incident = incidents.find(read, incident_no)
    scope = export.scope_of(account.principal, incident, purpose=purpose)
    actor = Actor("operator", account.username, {"role": scope.role.value}, purpose)
    with tempfile.TemporaryDirectory(prefix="tianfu-export-") as folder:
        path = Path(folder) / f"list.{sent.format}"
        export.export(
            console.database,
            console.pseudonym,
            path,
            incident=incident,
            wanted=export.Wanted(kind=kind, language=language, identities=sent.identities, tiers=sent.tiers),
            taking=export.Taking(actor=actor, purpose=purpose, at=at, scope=scope),
        )
        content = path.read_bytes()
    name = f"{kind.value}-{incident.number}.{sent.format}"
    return Response(
        content,
        media_type=media,
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )


def _one(field: str, word: str, known: dict[str, _Item]) -> _Item:
    found = known.get(word)
    if found is None:
        choices = ", ".join(known)
        raise InputInvalidError(faults=(Fault(field, "choice", f"应为：{choices}", f"must be one of: {choices}"),))
    return found
