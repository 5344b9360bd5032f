"""SQL of a dry run over everybody."""

from __future__ import annotations

from tianfu.ids import PersonRef
from tianfu.platform.database import Read


def page(read: Read, *, after: PersonRef, limit: int) -> list[tuple[PersonRef, str | None]]:
    """People by number, beyond `after`, each with the district of residence where it is known."""
    rows = read.rows(
        """
        select p.person_ref, r.district
        from person p left join resident r on r.person_ref = p.person_ref
        where p.person_ref > %s
        order by p.person_ref
        limit %s
        """,
        (after, limit),
    )
    return [(row[0], row[1]) for row in rows]


def last_person(read: Read) -> PersonRef:
    """The highest number of a person, 0 when there is nobody: people are numbered densely, so this says how many."""
    last: PersonRef = read.value("select coalesce(max(person_ref), 0) from person")
    return last
