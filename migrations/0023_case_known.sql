-- As what somebody was listed before they became a case: the link between two cases, and the answer to how many new
-- cases were known as contacts. The list itself no longer has them then, for a case is never a contact.

create table case_known (
    incident_ref integer not null references incident,
    person_ref   integer not null,
    case_ref     integer not null,
    parent_ref   integer not null,
    hop          smallint not null check (hop between 1 and 16),
    tier         text not null check (tier in ('close', 'secondary', 'copresent', 'general')),
    setting      text not null check (length(setting) between 1 and 16),
    exposed_at   timestamptz not null,
    known_at     timestamptz not null,
    primary key (incident_ref, person_ref)
);
