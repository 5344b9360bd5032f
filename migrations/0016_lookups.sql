-- Looking somebody up by a document at a gate: how many each account and each venue has done in an hour and in a day,
-- and the documents that nobody has, whose reading means that somebody goes through numbers.

create table lookup_budget (
    holder     text not null check (holder in ('account', 'venue')),
    holder_ref integer not null,
    span       text not null check (span in ('hour', 'day')),
    begins_at  timestamptz not null,
    lookups    integer not null check (lookups >= 0),
    primary key (holder, holder_ref, span, begins_at)
);
create index lookup_budget_begins on lookup_budget (begins_at);

create table canary_document (
    document_index bytea primary key check (length(document_index) = 32),
    index_key      text not null,
    created_at     timestamptz not null
);
