-- A lease is held by one process at a time and lapses by itself; a job is leased, resumable and bounded.

create table lease (
    name       text primary key check (length(name) between 1 and 64),
    holder     text not null check (length(holder) between 1 and 128),
    expires_at timestamptz not null
);

create table job (
    job_id      bigint generated always as identity primary key,
    kind        text not null check (length(kind) between 1 and 64),
    arguments   jsonb not null default '{}',
    state       text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed')),
    run_at      timestamptz not null,
    created_at  timestamptz not null,
    finished_at timestamptz,
    lease_until timestamptz,
    attempts    integer not null default 0 check (attempts >= 0),
    -- Where the next run goes on, and how far it is: done of total.
    progress    jsonb not null default '{}',
    error       text check (length(error) <= 500)
);

create index job_ready on job (run_at) where state in ('waiting', 'running');
