-- Operators: accounts, the roles they hold in a district (a prefix of a GB/T 2260 code, '' for the province), and
-- sessions ended before their time.

create table account (
    account_ref   integer generated always as identity primary key,
    username      text not null unique check (username ~ '^[a-z][a-z0-9._-]{2,31}$'),
    display_name  text not null check (length(display_name) between 1 and 64),
    password_hash text not null,
    created_at    timestamptz not null,
    closed_at     timestamptz,
    failures      integer not null default 0 check (failures >= 0),
    locked_until  timestamptz
);

create table account_role (
    account_ref integer not null references account,
    role        text not null check (length(role) between 1 and 32),
    district    text not null default '' check (district ~ '^[0-9]{0,6}$'),
    primary key (account_ref, role, district)
);

create table revoked_session (
    session_id bytea primary key check (length(session_id) = 8),
    expires_at timestamptz not null,
    revoked_at timestamptz not null
);
