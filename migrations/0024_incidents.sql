-- What incidents need to be traced again by themselves: what was asked of them, what each case's expansion was made
-- from, and whom new evidence makes a case.

-- How many hops were asked for; null for as many as the rule set has. `touches` counts what was changed (a case came,
-- went or got another period; other terms), `traced_touches` how far the list takes that into account, `traced_at` as
-- of when it stands: an incident with more touches than were traced waits for the tracer.
alter table incident
    add column hops           smallint check (hops between 1 and 16),
    add column touches        integer not null default 0,
    add column traced_touches integer not null default 0,
    add column traced_at      timestamptz;

-- A list has a million rows and is written in one go. That there is such an incident and such a run is known by who
-- writes them, in the same transaction; nothing ever deletes one. Checked for each row it took a third of the time.
alter table trace_support drop constraint trace_support_incident_ref_fkey;
alter table traced drop constraint traced_incident_ref_fkey, drop constraint traced_run_ref_fkey;

-- Pages of one tier, and of what was decided, begin as fast as pages of everything.
create index traced_tier on traced (incident_ref, tier, hop, exposed_at, person_ref);
create index traced_state on traced (incident_ref, state, hop, exposed_at, person_ref) where state <> 'proposed';
create index traced_parent on traced (incident_ref, parent_ref, person_ref);

-- A period that somebody stated; evidence that comes later does not move it.
alter table incident_case add column stated boolean not null default false;

-- From what the stored rows of a case were made. A case whose row here says what would be applied today needs no new
-- expansion.
create table trace_expansion (
    incident_ref    integer not null references incident,
    case_ref        integer not null,
    infectious_from timestamptz not null,
    infectious_to   timestamptz,
    rules_hash      bytea not null check (length(rules_hash) = 32),
    hops            smallint not null check (hops between 1 and 16),
    as_of           timestamptz not null,
    run_ref         integer not null references trace_run,
    primary key (incident_ref, case_ref)
);

-- Crowds that each case by itself was in; place_announcement is what they add up to.
create table trace_crowd (
    incident_ref integer not null references incident,
    case_ref     integer not null,
    venue_ref    integer not null,
    begins_at    timestamptz not null,
    ends_at      timestamptz not null check (ends_at > begins_at),
    scans        integer not null check (scans > 0),
    primary key (incident_ref, case_ref, venue_ref, begins_at)
);

-- What somebody decided about a person whose row left the list; it holds again when the person comes back.
create table trace_decision (
    incident_ref integer not null references incident,
    person_ref   integer not null,
    state        text not null check (state in ('confirmed', 'dropped')),
    primary key (incident_ref, person_ref)
);

-- People about whom something was stated, revised or withdrawn that makes a case or unmakes one. Written in the
-- transaction of the statement, taken in the one that changes incidents, so that nobody is lost or taken for nothing.
create table case_change (
    change_id  bigint generated always as identity primary key,
    person_ref bigint not null,
    since      timestamptz not null
);
