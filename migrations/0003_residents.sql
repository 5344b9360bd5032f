-- People are numbered when their document is first seen, in a claim or in a department's feed. Before the claim only
-- the keyed blind index of the document is kept; names, numbers and phones are sealed (AES-256-GCM, key outside).

create table person (
    person_ref    bigint generated always as identity primary key check (person_ref between 1 and 268435455),
    first_seen_at timestamptz not null
);

create table person_document (
    document_index bytea primary key check (length(document_index) = 32),
    index_key      text not null check (length(index_key) between 1 and 32),
    person_ref     bigint not null references person
);

create index person_document_person on person_document (person_ref);

create table resident (
    person_ref         bigint primary key references person,
    document_type      text not null,
    name_sealed        bytea not null,
    document_sealed    bytea not null,
    phone_sealed       bytea not null,
    phone_index        bytea not null check (length(phone_index) = 32),
    seal_key           text not null check (length(seal_key) between 1 and 32),
    district           char(6),
    language           text not null default 'zh' check (language in ('zh', 'en')),
    proofing_provider  text not null,
    proofing_reference text not null,
    claimed_at         timestamptz not null
);

create index resident_phone on resident (phone_index);
create index resident_seal_key on resident (seal_key);

create table consent (
    consent_id   bigint generated always as identity primary key,
    person_ref   bigint not null references person,
    purpose      text not null,
    text_version text not null,
    given        boolean not null,
    at           timestamptz not null
);

create index consent_person on consent (person_ref);
create trigger consent_no_update before update on consent
    for each row execute function refuse_change();
create trigger consent_no_delete before delete on consent
    for each row execute function refuse_delete_unless_retention();

create table one_time_password (
    challenge_id  bytea primary key check (length(challenge_id) = 16),
    phone_index   bytea not null check (length(phone_index) = 32),
    code_digest   bytea not null check (length(code_digest) = 32),
    attempts_left integer not null check (attempts_left >= 0),
    created_at    timestamptz not null,
    expires_at    timestamptz not null,
    used_at       timestamptz
);

create index one_time_password_phone on one_time_password (phone_index, created_at);
