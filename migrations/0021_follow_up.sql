-- After the list: who is followed by which county, what is to be done when, hand-overs, messages, interviews.

create table followup (
    incident_ref  integer not null references incident,
    person_ref    integer not null,
    tier          text not null check (tier in ('close', 'secondary', 'copresent', 'general')),
    setting       text not null check (length(setting) between 1 and 16),
    -- Day 0 is the Shanghai day of this instant.
    last_exposure timestamptz not null,
    designated_at timestamptz not null,
    -- The county that answers for this person: one, at every moment.
    place         text not null check (place ~ '^[0-9]{6}$'),
    -- The rule set the tasks were planned by, and a digest of everything the plan depends on.
    rules         text not null check (length(rules) between 1 and 64),
    plan_hash     bytea not null check (length(plan_hash) = 32),
    -- The account, or `team:` and a county, that new tasks of this person go to.
    assignee      text check (length(assignee) between 1 and 64),
    ends_on       date not null,
    closed_at     timestamptz,
    closed_reason text check (length(closed_reason) between 1 and 32),
    primary key (incident_ref, person_ref),
    check ((closed_at is null) = (closed_reason is null))
);
create index followup_person on followup (person_ref) where closed_at is null;
create index followup_place on followup (place, incident_ref) where closed_at is null;
create index followup_designated on followup (designated_at);

-- Which county answered for whom from when until when. Periods of one person's follow-up touch and never overlap.
create table followup_county (
    county_ref   bigint generated always as identity primary key,
    incident_ref integer not null,
    person_ref   integer not null,
    place        text not null check (place ~ '^[0-9]{6}$'),
    since        timestamptz not null,
    until        timestamptz check (until >= since),
    foreign key (incident_ref, person_ref) references followup
);
create index followup_county_person on followup_county (incident_ref, person_ref, county_ref);
create unique index followup_county_one on followup_county (incident_ref, person_ref) where until is null;

create table followup_task (
    task_ref     bigint generated always as identity primary key,
    incident_ref integer not null,
    person_ref   integer not null,
    kind         text not null check (kind in ('move', 'visit', 'test', 'monitor', 'end')),
    stage        text not null check (stage in ('central', 'home', 'monitoring')),
    -- The Shanghai day it belongs to, and its number counted from the last exposure.
    on_day       date not null,
    day          smallint not null,
    due_from     timestamptz not null,
    due_until    timestamptz not null check (due_until > due_from),
    place        text not null check (place ~ '^[0-9]{6}$'),
    state        text not null check (state in ('planned', 'assigned', 'done', 'missed', 'lost', 'cancelled')),
    assignee     text check (length(assignee) between 1 and 64),
    outcome      text check (length(outcome) between 1 and 32),
    reason       text check (length(reason) between 1 and 64),
    -- When it was really done (a test: when the sample was taken), and when that was written down.
    done_at      timestamptz,
    done_by      text check (length(done_by) between 1 and 64),
    evidence_id  bigint,
    changed_at   timestamptz not null,
    foreign key (incident_ref, person_ref) references followup,
    check ((state = 'done') = (done_at is not null)),
    check (state <> 'assigned' or assignee is not null),
    check (state not in ('lost', 'cancelled') or reason is not null)
);
create unique index followup_task_once on followup_task (incident_ref, person_ref, kind, on_day)
    where state <> 'cancelled';
create index followup_task_page on followup_task (incident_ref, due_until, task_ref);
create index followup_task_place on followup_task (incident_ref, place, due_until, task_ref);
create index followup_task_due on followup_task (due_until) where state in ('planned', 'assigned');
create index followup_task_assignee on followup_task (assignee, due_until, task_ref)
    where state in ('planned', 'assigned', 'missed');
create index followup_task_done on followup_task (done_at) where state = 'done';

create table handover (
    handover_ref integer generated always as identity primary key,
    incident_ref integer not null references incident,
    from_place   text not null check (from_place ~ '^[0-9]{6}$'),
    to_place     text not null check (to_place ~ '^[0-9]{6}$'),
    requested_at timestamptz not null,
    requested_by text not null check (length(requested_by) between 1 and 64),
    due_at       timestamptz not null,
    reminded_at  timestamptz,
    -- The letter to another province: its file's name and SHA-256.
    file         text,
    file_hash    bytea check (length(file_hash) = 32),
    check (from_place <> to_place)
);
create index handover_to on handover (to_place, due_at);
create index handover_from on handover (from_place, due_at);

create table handover_person (
    handover_ref integer not null references handover,
    incident_ref integer not null,
    person_ref   integer not null,
    state        text not null default 'asked' check (state in ('asked', 'accepted', 'refused')),
    reason       text check (length(reason) between 1 and 64),
    decided_at   timestamptz,
    decided_by   text,
    primary key (handover_ref, person_ref),
    foreign key (incident_ref, person_ref) references followup,
    check (state <> 'refused' or reason is not null),
    check ((state = 'asked') = (decided_at is null))
);
-- Nobody is offered to two counties at once.
create unique index handover_person_once on handover_person (person_ref) where state = 'asked';

create table notice (
    notice_ref   bigint generated always as identity primary key,
    incident_ref integer not null references incident,
    -- To one person, or about a place to everybody.
    person_ref   integer,
    venue_ref    integer,
    form         text not null check (form in ('short', 'long')),
    language     text not null check (language in ('zh', 'en')),
    text         text not null check (length(text) between 1 and 4000),
    -- SHA-256 of the text: the same message is not queued twice.
    digest       bytea not null check (length(digest) = 32),
    state        text not null default 'queued' check (state in ('queued', 'sent', 'failed', 'unreachable', 'cancelled')),
    attempts     smallint not null default 0,
    queued_at    timestamptz not null,
    queued_by    text not null check (length(queued_by) between 1 and 64),
    sent_at      timestamptz,
    check ((person_ref is null) <> (venue_ref is null)),
    check ((state = 'sent') = (sent_at is not null))
);
create unique index notice_once on notice (incident_ref, coalesce(person_ref, 0), coalesce(venue_ref, 0), digest);
create index notice_queue on notice (notice_ref) where state = 'queued';
create index notice_person on notice (incident_ref, person_ref) where person_ref is not null;

-- Core facts of a case, within four hours, and its report, within a day.
create table case_interview (
    incident_ref  integer not null,
    person_ref    integer not null,
    core_facts_at timestamptz not null,
    reported_at   timestamptz,
    recorded_by   text not null check (length(recorded_by) between 1 and 64),
    primary key (incident_ref, person_ref),
    foreign key (incident_ref, person_ref) references incident_case
);
