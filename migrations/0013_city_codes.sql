-- Taking over the holders of the old city codes. A file is read block by block into sealed parts, ordered by document;
-- then the parts of one bucket of documents become people together, so that the same document meets itself. Whatever is
-- done is marked in the transaction that does it: a load that is killed goes on where it was.

create table city_file (
    file_id        bigint generated always as identity primary key,
    city           char(6) not null,
    digest         bytea not null check (length(digest) = 32),
    mapping_digest bytea not null check (length(mapping_digest) = 32),
    bytes          bigint not null check (bytes >= 0),
    rows           bigint not null check (rows >= 0),
    bucket_bits    integer not null check (bucket_bits between 0 and 9),
    loaded_by      text not null,
    begun_at       timestamptz not null,
    finished_at    timestamptz
);

-- The same file by the same mapping again changes nothing; by a corrected mapping it is another load.
create unique index city_file_once on city_file (digest, mapping_digest);

create table city_block (
    file_id   bigint not null references city_file,
    block     integer not null,
    starts_at bigint not null,
    ends_at   bigint not null,
    first_row bigint not null,
    accepted  integer,
    set_aside integer,
    done_at   timestamptz,
    primary key (file_id, block)
);

create table city_bucket (
    file_id    bigint not null references city_file,
    bucket     integer not null,
    made       integer not null default 0,
    known      integer not null default 0,
    updated    integer not null default 0,
    duplicates integer not null default 0,
    claimed    integer not null default 0,
    conflicts  integer not null default 0,
    done_at    timestamptz,
    primary key (file_id, bucket)
);

-- Rows on their way, sealed; gone when their bucket is done.
create table city_part (
    file_id     bigint not null references city_file,
    bucket      integer not null,
    block       integer not null,
    index_key   text not null,
    seal_key    text not null,
    rows_sealed bytea not null,
    primary key (file_id, bucket, block)
);

alter table city_part alter column rows_sealed set storage external;

create table city_set_aside (
    file_id    bigint not null references city_file,
    row_number bigint not null check (row_number >= 1),
    field      text not null,
    reason     text not null check (length(reason) between 1 and 64),
    row_sealed bytea not null,
    seal_key   text not null,
    primary key (file_id, row_number)
);

-- Two registrations of one document under different names: the newer one counts, the other name is kept for review.
create table city_conflict (
    conflict_id bigint generated always as identity primary key,
    person_ref  bigint not null references person,
    file_id     bigint not null references city_file,
    city        char(6) not null,
    name_sealed bytea not null,
    seal_key    text not null,
    found_at    timestamptz not null
);

create index city_conflict_person on city_conflict (person_ref);
