-- What brings people together other than scans (households, units, seats, carriers' lists), isolation and merges changes
-- after a case was expanded. Who traces finds it here instead of expanding everything anew.

-- Written in the transaction of the statement, taken in the one that marks cases; nothing is there once it is looked at.
create table company_change (
    change_id  bigint generated always as identity primary key,
    -- A place where stays came or went, and the time they covered (without end: null) ...
    place      uuid,
    begins_at  timestamptz,
    ends_at    timestamptz,
    -- ... or a person of whom something else is known now; `merged`: that they have other numbers than before.
    person_ref bigint,
    merged     boolean not null default false,
    since      timestamptz not null,
    check ((place is null) <> (person_ref is null)),
    check ((place is null) = (begins_at is null))
);

-- Cases whose rows may differ by now. A run expands them and takes away the marks that it found when it began.
create table trace_mark (
    mark_id      bigint generated always as identity primary key,
    incident_ref integer not null references incident,
    case_ref     integer not null,
    since        timestamptz not null
);
create index trace_mark_case on trace_mark (incident_ref, case_ref);
