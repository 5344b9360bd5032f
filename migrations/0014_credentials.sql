-- Credentials: printed cards and the certificates of device-bound codes. The id leads to the holder for the gate's keys
-- alone; the text is sealed, because it holds the masks. `sequence` is drawn when a credential is killed and orders the
-- killed ones for the board. A card counts its `generation` for one holder and kind; a certificate belongs to a session
-- and a key of the phone.

create sequence credential_sequence;

create table credential (
    credential_id bytea primary key check (length(credential_id) = 16),
    person_ref    bigint not null references person,
    kind          text not null check (kind in ('card', 'device')),
    card_kind     smallint not null default 0 check (card_kind between 0 and 3),
    generation    integer not null check (generation between 1 and 65535),
    session_id    bytea check (length(session_id) = 8),
    public_key    bytea check (length(public_key) = 33),
    text_sealed   bytea not null,
    seal_key      text not null check (length(seal_key) between 1 and 32),
    issued_at     timestamptz not null,
    expires_at    timestamptz not null check (expires_at > issued_at),
    killed_at     timestamptz,
    sequence      bigint,
    undecided     boolean not null,
    check ((killed_at is null) = (sequence is null)),
    check ((kind = 'device') = (session_id is not null and public_key is not null))
);

create index credential_person on credential (person_ref, expires_at);
create index credential_expiry on credential (expires_at);
create unique index credential_killed on credential (sequence) where sequence is not null;

-- The list of what is not green is made every minute, so each of its parts has an index as small as the part: what was
-- killed; holders who had no decision yet when they were given something; people who are not plainly green, whoever holds
-- anything. A popup that blocks is found by its words in the text that a decision is stored as.
create index credential_killed_expiry on credential (expires_at) where killed_at is not null;
create index credential_undecided on credential (person_ref) where undecided;
create index status_not_green on status (person_ref) where colour <> 'green' or decision like '%"blocks":["%';

-- The number of the latest signed list of each kind. Numbers only rise.
create table signed_list (
    kind      text primary key check (length(kind) between 1 and 32),
    number    bigint not null check (number between 0 and 4294967295),
    issued_at timestamptz not null
);
