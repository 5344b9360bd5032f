-- The trail: who looked at or changed what, and why. Append-only, each row chained to the one before.

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% on % is refused: the table is append-only', tg_op, tg_table_name
        using errcode = 'integrity_constraint_violation';
end
$$;

-- Retention may delete, and says so for its own transaction only: set local tianfu.retention = 'on'.
create function refuse_delete_unless_retention() returns trigger language plpgsql as $$
begin
    if current_setting('tianfu.retention', true) is distinct from 'on' then
        raise exception 'DELETE on % is refused outside retention', tg_table_name
            using errcode = 'integrity_constraint_violation';
    end if;
    return old;
end
$$;

create table audit_trail (
    trail_id      bigint generated always as identity primary key,
    at            timestamptz not null,
    actor_kind    text not null check (actor_kind in ('resident', 'operator', 'system', 'department')),
    actor         text not null check (length(actor) between 1 and 64),
    action        text not null check (length(action) between 1 and 64),
    purpose       text not null check (length(purpose) between 1 and 64),
    person_ref    bigint,
    subject       text not null default '' check (length(subject) <= 200),
    detail        jsonb not null default '{}',
    previous_hash bytea not null check (length(previous_hash) = 32),
    hash          bytea not null unique check (length(hash) = 32)
);

create index audit_trail_person on audit_trail (person_ref, trail_id) where person_ref is not null;

create trigger audit_trail_no_update before update on audit_trail
    for each row execute function refuse_change();
create trigger audit_trail_no_delete before delete on audit_trail
    for each row execute function refuse_delete_unless_retention();
create trigger audit_trail_no_truncate before truncate on audit_trail
    for each statement execute function refuse_change();
