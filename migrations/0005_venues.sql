-- Venues. The poster carries the random id; the board and the journal the dense number. `sequence` orders changes
-- for the board; a new generation makes every older poster invalid.

create sequence venue_sequence;

create table venue (
    venue_ref  integer generated always as identity primary key check (venue_ref between 1 and 33554431),
    venue_id   bytea not null unique check (length(venue_id) = 16),
    name       text not null check (length(name) between 1 and 60),
    category   text not null,
    district   char(6) not null,
    address    text not null default '' check (length(address) <= 120),
    manager    integer not null references account,
    generation integer not null default 1 check (generation between 1 and 65535),
    created_at timestamptz not null,
    closed_at  timestamptz,
    sequence   bigint not null
);

create index venue_manager on venue (manager, venue_ref);
create unique index venue_changes on venue (sequence);

-- Guards bound to the venue they check at.
create table venue_guard (
    venue_ref   integer not null references venue,
    account_ref integer not null references account,
    bound_at    timestamptz not null,
    primary key (venue_ref, account_ref)
);
