-- Screening: what the sources said when it began, every run of the funnel since, what became of everybody in each, what
-- the field check judged, and which results were confirmed into the ledger. People are numbers. A run is never changed:
-- undoing a step is another run.

create table screening (
    screening_ref integer generated always as identity primary key,
    incident_ref  integer not null references incident,
    -- The funnel's name, and the SHA-256 of the file it was read from.
    funnel        text not null check (length(funnel) between 1 and 64),
    funnel_hash   bytea not null check (length(funnel_hash) = 32),
    -- What was known at this instant is what every run of this screening works on.
    as_of         timestamptz not null,
    created_by    text not null check (length(created_by) between 1 and 64)
);
create index screening_incident on screening (incident_ref, screening_ref desc);

-- The arrays of each source as they were gathered, so that undoing and re-running give the same whenever it is done.
create table screening_facts (
    screening_ref integer not null references screening,
    source        text not null check (length(source) between 1 and 32),
    packed        bytea not null,
    primary key (screening_ref, source)
);
alter table screening_facts alter column packed set storage external;

create table screening_run (
    run_ref       integer generated always as identity primary key,
    screening_ref integer not null references screening,
    action        text not null check (action in ('run', 'undo', 'redo', 'rerun')),
    step          text check (length(step) between 1 and 32),
    -- The funnel with the thresholds in force in this run, and the steps left out.
    definition    json not null,
    undone        text[] not null,
    -- The last judgement of the field that this run knew.
    judged_until  bigint not null,
    at            timestamptz not null,
    made_by       text not null check (length(made_by) between 1 and 64),
    people        integer not null check (people >= 0),
    listed        integer not null check (listed between 0 and people)
);
create index screening_run_screening on screening_run (screening_ref, run_ref desc);

create table screening_step (
    run_ref      integer not null references screening_run,
    position     smallint not null check (position between 0 and 15),
    -- As `StepResult` of tianfu.tracing.screening.funnel.
    result       json not null,
    primary key (run_ref, position)
);

-- `reason` and the bytes of `history` are the codes of `Said`, `evidence` the bits of `Ground`, both in
-- tianfu.tracing.screening.model, where a number never changes its meaning; `county` is 0 where nobody knows.
create table screened (
    run_ref    integer not null,
    person_ref integer not null,
    listed     boolean not null,
    reason     smallint not null,
    step       smallint not null,
    evidence   smallint not null,
    county     integer not null,
    history    bytea not null,
    primary key (run_ref, person_ref)
);

create table field_judgement (
    judgement_ref bigint generated always as identity primary key,
    incident_ref  integer not null references incident,
    person_ref    integer not null,
    -- Null: no contact.
    tier          text check (tier in ('close', 'secondary', 'copresent', 'general')),
    -- On what ground and when last exposed, where the field knows better than the traces.
    setting       text check (length(setting) between 1 and 16),
    exposed_at    timestamptz check (exposed_at <= at),
    reason        text not null check (length(reason) between 1 and 64),
    at            timestamptz not null,
    judged_by     text not null check (length(judged_by) between 1 and 64)
);
create index field_judgement_person on field_judgement (incident_ref, person_ref, judgement_ref desc);

-- A named person's decision that results become evidence; more than a few wait for a second person.
create table contact_confirmation (
    confirmation_ref integer generated always as identity primary key,
    incident_ref     integer not null references incident,
    tiers            text[] not null check (cardinality(tiers) between 1 and 4),
    -- Only who was on the list of this run; null: whoever was traced.
    run_ref          integer references screening_run,
    person_ref       integer,
    people           integer not null check (people >= 0),
    -- A sum over who they are and what is said of them: the second person approves what the first asked for.
    people_sum       bigint not null,
    state            text not null check (state in ('waiting', 'done', 'withdrawn')),
    stated_by        text not null check (length(stated_by) between 1 and 64),
    stated_at        timestamptz not null,
    approved_by      text check (length(approved_by) between 1 and 64),
    decided_at       timestamptz,
    -- Who asked to take many back; a second person does it.
    asked_back_by    text check (length(asked_back_by) between 1 and 64),
    withdrawn_by     text check (length(withdrawn_by) between 1 and 64),
    withdrawn_at     timestamptz,
    reason           text check (length(reason) between 1 and 64),
    check ((state = 'withdrawn') = (withdrawn_at is not null))
);
create index contact_confirmation_incident on contact_confirmation (incident_ref, confirmation_ref desc);
create index contact_confirmation_alone on contact_confirmation (decided_at) where approved_by is null;

create table contact_confirmed (
    confirmation_ref integer not null references contact_confirmation,
    incident_ref     integer not null,
    person_ref       integer not null,
    evidence_id      bigint not null,
    tier             text not null,
    setting          text not null,
    last_exposure_at timestamptz not null,
    withdrawn_at     timestamptz,
    primary key (confirmation_ref, person_ref)
);
create index contact_confirmed_person on contact_confirmed (incident_ref, person_ref, confirmation_ref desc);

create trigger screening_run_no_update before update on screening_run
    for each row execute function refuse_change();
create trigger screening_step_no_update before update on screening_step
    for each row execute function refuse_change();
create trigger screened_no_update before update on screened
    for each row execute function refuse_change();
create trigger field_judgement_no_update before update on field_judgement
    for each row execute function refuse_change();
