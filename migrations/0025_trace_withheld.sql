-- Places such as a school or a train of which more people were with a source than the rules let be named, for each case
-- by itself, through whatever hop. They are no venues and cannot be announced; they are counted.

create table trace_withheld (
    incident_ref integer not null references incident,
    case_ref     integer not null,
    -- The digest that stays go by.
    place        uuid not null,
    kind         text not null check (length(kind) between 1 and 16),
    begins_at    timestamptz not null,
    -- Null while it lasts.
    ends_at      timestamptz,
    people       integer not null check (people > 0),
    primary key (incident_ref, case_ref, place, kind)
);
