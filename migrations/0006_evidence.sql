-- The ledger. Rows are appended by tianfu.evidence only; nothing updates them, retention alone deletes.

create table feed_batch (
    batch_id    bigint generated always as identity primary key,
    feed        text not null check (length(feed) between 1 and 32),
    source      text not null check (length(source) between 1 and 32),
    digest      bytea not null check (length(digest) = 32),
    received_at timestamptz not null,
    rows        integer not null check (rows >= 0),
    accepted    integer not null check (accepted >= 0),
    duplicates  integer not null check (duplicates >= 0),
    set_aside   integer not null check (set_aside >= 0)
);

create unique index feed_batch_once on feed_batch (feed, source, digest);

create table evidence (
    evidence_id   bigint generated always as identity primary key,
    person_ref    bigint not null references person,
    kind          text not null check (length(kind) between 1 and 32),
    source        text not null check (length(source) between 1 and 32),
    source_record text not null check (length(source_record) between 1 and 128),
    content_hash  bytea not null check (length(content_hash) = 32),
    place         char(6),
    occurred_at   timestamptz not null,
    received_at   timestamptz not null,
    valid_from    timestamptz not null,
    valid_until   timestamptz check (valid_until >= valid_from),
    grade         text not null check (grade in ('weak', 'strong')),
    attributes    jsonb not null,
    supersedes    bigint,
    withdraws     bigint,
    batch_id      bigint references feed_batch
);

create index evidence_person on evidence (person_ref, evidence_id);
create index evidence_record on evidence (source, source_record, evidence_id);
create index evidence_batch on evidence (batch_id) where batch_id is not null;

create trigger evidence_no_update before update on evidence
    for each row execute function refuse_change();
create trigger evidence_no_delete before delete on evidence
    for each row execute function refuse_delete_unless_retention();
create trigger evidence_no_truncate before truncate on evidence
    for each statement execute function refuse_change();

-- The change feed: people whose evidence changed since their status was last computed. Written in the transaction
-- that appends, in order of person_ref, so that two appends never wait for each other in a circle; taken with
-- SKIP LOCKED by the recomputation, whose own lock makes a concurrent append queue the person again.
create table evidence_pending (
    person_ref bigint primary key references person,
    since      timestamptz not null
);

create index evidence_pending_since on evidence_pending (since);

-- Rows of a batch that could not be accepted, sealed like all personal data, until they are fixed or discarded.
create table feed_quarantine (
    quarantine_id bigint generated always as identity primary key,
    batch_id      bigint not null references feed_batch,
    row_number    integer not null check (row_number >= 1),
    reason        text not null check (length(reason) between 1 and 64),
    field         text not null default '' check (length(field) <= 64),
    row_sealed    bytea not null,
    seal_key      text not null check (length(seal_key) between 1 and 32),
    state         text not null default 'waiting' check (state in ('waiting', 'released', 'discarded')),
    decided_at    timestamptz
);

create index feed_quarantine_waiting on feed_quarantine (batch_id, row_number) where state = 'waiting';
create index feed_quarantine_seal_key on feed_quarantine (seal_key);
