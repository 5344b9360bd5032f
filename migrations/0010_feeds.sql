-- Batches have a life of their own: bulk evidence waits for a second person, and what was loaded can be taken back.
alter table feed_batch
    add column state text not null default 'loaded' check (state in ('held', 'loaded', 'rejected', 'withdrawn')),
    add column loaded_by text check (length(loaded_by) between 1 and 64),
    add column decided_by text check (length(decided_by) between 1 and 64),
    add column decided_at timestamptz,
    add column reason text check (length(reason) between 1 and 64);

create index feed_batch_latest on feed_batch (feed, source, batch_id desc);
create index feed_batch_held on feed_batch (batch_id) where state = 'held';

-- The file of a batch that waits for its second person, in sealed parts; deleted when the batch is decided.
create table feed_held (
    batch_id    bigint not null references feed_batch,
    part        integer not null check (part >= 0),
    data_sealed bytea not null,
    seal_key    text not null check (length(seal_key) between 1 and 32),
    primary key (batch_id, part)
);

create index feed_held_seal_key on feed_held (seal_key);

alter table feed_quarantine
    add column decided_by text check (length(decided_by) between 1 and 64),
    add column decision_reason text check (length(decision_reason) between 1 and 64);

-- What is wrong with the delivery of a feed, from when to when. One open alert of a kind for each feed and source.
create table feed_alert (
    alert_id bigint generated always as identity primary key,
    feed     text not null check (length(feed) between 1 and 32),
    source   text not null check (length(source) between 1 and 32),
    kind     text not null check (kind in ('late', 'empty', 'halved')),
    since    timestamptz not null,
    ended_at timestamptz
);

create unique index feed_alert_open on feed_alert (feed, source, kind) where ended_at is null;

-- How old records were at each stage, counted in buckets: no row says anything about a person.
create table feed_delay (
    day    date not null,
    source text not null check (length(source) between 1 and 32),
    stage  text not null check (stage in ('event_to_receipt', 'receipt_to_status')),
    bucket smallint not null check (bucket between 0 and 400),
    count  bigint not null check (count > 0),
    primary key (day, source, stage, bucket)
);

-- Departments' keys for pushing files over HTTP. Only the public half is here.
create table feed_key (
    key_id       text primary key check (length(key_id) between 1 and 32),
    source       text not null check (length(source) between 1 and 32),
    algorithm    text not null check (algorithm in ('ed25519', 'ecdsa-p256-sha256')),
    public_key   bytea not null check (length(public_key) between 32 and 256),
    feeds        text[] not null check (cardinality(feeds) > 0),
    rows_per_day bigint not null check (rows_per_day > 0),
    made_by      text not null check (length(made_by) between 1 and 64),
    created_at   timestamptz not null,
    expires_at   timestamptz not null check (expires_at > created_at),
    revoked_at   timestamptz,
    revoked_by   text check (length(revoked_by) between 1 and 64)
);

-- Signatures already accepted, so that none counts twice; forgotten once their window is over.
create table feed_nonce (
    key_id  text not null references feed_key,
    nonce   text not null check (length(nonce) between 1 and 64),
    seen_at timestamptz not null,
    primary key (key_id, nonce)
);

create index feed_nonce_seen on feed_nonce (seen_at);

-- Rows that came with a key on a day of Asia/Shanghai.
create table feed_key_day (
    key_id text not null references feed_key,
    day    date not null,
    rows   bigint not null check (rows >= 0),
    primary key (key_id, day)
);
