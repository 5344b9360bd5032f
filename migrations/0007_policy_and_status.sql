-- Policies in force, and each person's derived status. A status is never edited by hand: it is what decide() said.

create table policy_publication (
    publication_id bigint generated always as identity primary key,
    policy_hash    text not null check (length(policy_hash) = 64),
    name           text not null,
    number         integer not null check (number between 1 and 65535),
    body           text not null,
    effective_from timestamptz not null,
    published_at   timestamptz not null,
    published_by   text not null,
    approved_by    text not null,
    check (published_by <> approved_by)
);

create index policy_publication_effective on policy_publication (effective_from, publication_id);
create trigger policy_publication_no_update before update on policy_publication
    for each row execute function refuse_change();
create trigger policy_publication_no_delete before delete on policy_publication
    for each row execute function refuse_change();

create sequence status_sequence;

create table status (
    person_ref     bigint primary key references person,
    colour         text not null check (colour in ('green', 'yellow', 'red')),
    popup          text,
    policy_hash    text not null check (length(policy_hash) = 64),
    decision       jsonb not null,
    decided_at     timestamptz not null,
    next_change_at timestamptz,
    sequence       bigint not null
);

-- Recomputation holds one advisory lock while it draws sequences and commits, so sequence order is commit order and
-- a follower that has seen n has seen everything below n.
create unique index status_changes on status (sequence);
create index status_due on status (next_change_at) where next_change_at is not null;
create index status_policy on status (policy_hash, person_ref);
