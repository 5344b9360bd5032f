-- Incidents, their cases, and who was traced from them. People are numbers; who may read a row is decided by its place.

create table incident (
    incident_ref integer generated always as identity primary key,
    -- What people write: 2022-510112-003, the year, the county, a running number there.
    number       text not null unique check (number ~ '^[0-9]{4}-[0-9]{6}-[0-9]{3}$'),
    place        text not null check (place ~ '^[0-9]{6}$'),
    -- The tracing rule set by name; null for the one in force on the day.
    rules        text check (length(rules) between 1 and 64),
    opened_at    timestamptz not null,
    opened_by    text not null check (length(opened_by) between 1 and 64),
    automatic    boolean not null,
    closed_at    timestamptz,
    closed_by    text
);
create index incident_open on incident (place) where closed_at is null;

create table incident_case (
    incident_ref    integer not null references incident,
    person_ref      integer not null,
    infectious_from timestamptz not null,
    -- Isolation; null while it has not come.
    infectious_to   timestamptz,
    -- The statement in the ledger that made this person a case here.
    evidence_id     bigint,
    added_at        timestamptz not null,
    added_by        text not null check (length(added_by) between 1 and 64),
    withdrawn_at    timestamptz,
    withdrawn_by    text,
    primary key (incident_ref, person_ref),
    check (infectious_to is null or infectious_to >= infectious_from)
);
create index incident_case_person on incident_case (person_ref);

create table trace_run (
    run_ref      integer generated always as identity primary key,
    incident_ref integer not null references incident,
    as_of        timestamptz not null,
    started_at   timestamptz not null,
    finished_at  timestamptz,
    -- Name and SHA-256 of the rule set that was applied.
    rules        text not null,
    rules_hash   bytea not null check (length(rules_hash) = 32),
    hops         smallint not null check (hops between 1 and 16),
    cases        integer not null,
    scanned      bigint not null default 0,
    listed       integer not null default 0,
    milliseconds integer not null default 0
);
create index trace_run_incident on trace_run (incident_ref, run_ref);

-- What each case by itself reaches. The list is what these rows add up to, so withdrawing a case takes away exactly
-- what only it supported.
create table trace_support (
    incident_ref integer not null references incident,
    case_ref     integer not null,
    person_ref   integer not null,
    hop          smallint not null check (hop between 1 and 16),
    tier         text not null check (tier in ('close', 'secondary', 'copresent', 'general')),
    setting      text not null check (length(setting) between 1 and 16),
    strong       boolean not null,
    exposed_at   timestamptz not null,
    -- The case, or the contact through whom: the parent pointer of the chain.
    parent_ref   integer not null,
    -- Where: a venue's number, for other settings null.
    venue_ref    integer,
    primary key (incident_ref, case_ref, person_ref)
);
create index trace_support_person on trace_support (incident_ref, person_ref);

create table traced (
    incident_ref integer not null references incident,
    person_ref   integer not null,
    hop          smallint not null check (hop between 1 and 16),
    tier         text not null check (tier in ('close', 'secondary', 'copresent', 'general')),
    setting      text not null check (length(setting) between 1 and 16),
    strong       boolean not null,
    exposed_at   timestamptz not null,
    parent_ref   integer not null,
    venue_ref    integer,
    -- How many cases support this row.
    cases        integer not null check (cases >= 1),
    run_ref      integer not null references trace_run,
    -- The person's county at the time of the run, for who may see the row; null where nobody knows.
    place        text check (place ~ '^[0-9]{6}$'),
    state        text not null default 'proposed' check (state in ('proposed', 'confirmed', 'dropped')),
    primary key (incident_ref, person_ref)
);
create index traced_page on traced (incident_ref, hop, exposed_at, person_ref);
create index traced_place on traced (incident_ref, place, hop, exposed_at, person_ref);
create index traced_person on traced (person_ref);

create table place_announcement (
    incident_ref integer not null references incident,
    venue_ref    integer not null,
    begins_at    timestamptz not null,
    ends_at      timestamptz not null,
    -- Scans withheld from the list.
    scans        integer not null check (scans > 0),
    run_ref      integer not null references trace_run,
    primary key (incident_ref, venue_ref, begins_at),
    check (ends_at > begins_at)
);
