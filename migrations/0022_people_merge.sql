-- Two numbers that are one human being: somebody known by an identity card and by a passport. Nothing is moved: while a
-- row stands, what is known of either counts for both. One person asks, another approves, for the merge as for undoing
-- it; undone, each is by themselves again.

create table person_merge (
    merge_ref        bigint generated always as identity primary key,
    kept_ref         bigint not null references person,
    merged_ref       bigint not null references person,
    reason           text not null check (reason ~ '^[A-Za-z0-9_.:@+/-]{1,64}$'),
    asked_at         timestamptz not null,
    asked_by         text not null check (length(asked_by) between 1 and 64),
    merged_at        timestamptz,
    approved_by      text check (length(approved_by) between 1 and 64),
    undo_asked_at    timestamptz,
    undo_asked_by    text check (length(undo_asked_by) between 1 and 64),
    undone_at        timestamptz,
    undo_approved_by text check (length(undo_approved_by) between 1 and 64),
    check (kept_ref <> merged_ref),
    check ((merged_at is null) = (approved_by is null)),
    check ((undo_asked_at is null) = (undo_asked_by is null)),
    check ((undone_at is null) = (undo_approved_by is null)),
    check (undo_asked_at is null or merged_at is not null),
    check (undone_at is null or (undo_asked_at is not null and undone_at >= merged_at))
);

create unique index person_merge_standing on person_merge (merged_ref) where merged_at is not null and undone_at is null;
create index person_merge_kept on person_merge (kept_ref) where merged_at is not null;
create index person_merge_merged on person_merge (merged_ref) where merged_at is not null;

create trigger person_merge_no_delete before delete on person_merge
    for each row execute function refuse_delete_unless_retention();
