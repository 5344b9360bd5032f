-- 20,000 results a second on two cores leave 100 microseconds of processor time for a row from file to board. What a row
-- costs here is mostly entries of indexes, row triggers of foreign keys, and values parsed into trees nobody looks into.

-- Evidence. Attributes are read and written whole: checked to be JSON, kept as the text they came as.
alter table evidence alter column attributes type json using attributes::text::json;

-- A batch lies together, so a summary of each stretch of pages finds it, for next to nothing a row.
drop index evidence_batch;
create index evidence_batch on evidence using brin (batch_id) with (pages_per_range = 32, autosummarize = on);

-- That a statement is about somebody, and of a batch that there is, is checked once for all rows of a statement instead
-- of by two look-ups with row locks each. People and batches are not deleted under evidence: see below.
alter table evidence drop constraint evidence_person_ref_fkey, drop constraint evidence_batch_id_fkey;

create function evidence_names_what_there_is() returns trigger language plpgsql as $$
begin
    if exists (
        select from added
        where not exists (select from person where person.person_ref = added.person_ref)
    ) or exists (
        select from (select distinct batch_id from added where batch_id is not null) as named
        where not exists (select from feed_batch where feed_batch.batch_id = named.batch_id)
    ) then
        raise exception 'evidence about a person or of a batch that does not exist'
            using errcode = 'foreign_key_violation';
    end if;
    return null;
end
$$;
create trigger evidence_names_what_there_is after insert on evidence
    referencing new table as added for each statement execute function evidence_names_what_there_is();

create function refuse_delete_under_evidence() returns trigger language plpgsql as $$
begin
    if (tg_table_name = 'person' and exists (select from evidence where person_ref = (to_json(old) ->> 'person_ref')::bigint))
        or (tg_table_name = 'feed_batch' and exists (select from evidence where batch_id = (to_json(old) ->> 'batch_id')::bigint))
    then
        raise exception 'DELETE on % is refused: there is evidence', tg_table_name
            using errcode = 'foreign_key_violation';
    end if;
    return old;
end
$$;
create trigger person_under_evidence before delete on person
    for each row execute function refuse_delete_under_evidence();
create trigger feed_batch_under_evidence before delete on feed_batch
    for each row execute function refuse_delete_under_evidence();

-- The change feed, a row for each append with everybody it concerns instead of a row for each person. Every append adds
-- rows of its own, so appends never wait for each other nor for a recomputation, and none is lost: whoever takes a row
-- reads the evidence afterwards, and a row that is committed later is taken later. A bulk append is cut into rows of at
-- most 1,000 people; small ones go first, so that a fresh result does not wait behind a delivery.
create table evidence_change (
    change_id bigint generated always as identity primary key,
    bulk      boolean not null,
    since     timestamptz not null,
    people    integer not null check (people = cardinality(persons) and people between 1 and 1000),
    persons   bigint[] not null
);

alter table evidence_change alter column persons set storage external;
create index evidence_change_turn on evidence_change (bulk, since, change_id);

insert into evidence_change (bulk, since, people, persons)
select true, min(since), count(*), array_agg(person_ref)
from (
    select person_ref, since, (row_number() over (order by since, person_ref) - 1) / 1000 as part from evidence_pending
) as queued
group by part;
drop table evidence_pending;

-- Statuses. The policy is a number in them and in the index, instead of its hash of 64 characters in both; the rest of a
-- decision is the text as it was encoded, so that whether it changed is one comparison of bytes.
create table decided_policy (
    policy_ref  integer generated always as identity primary key,
    policy_hash text not null unique check (length(policy_hash) = 64),
    name        text not null,
    number      integer not null
);

insert into decided_policy (policy_hash, name, number)
select distinct policy_hash, decision ->> 'policy', (decision ->> 'policy_number')::integer from status;

drop index status_policy;
drop index status_changes;
alter table status
    add column policy_ref integer references decided_policy,
    alter column decision type text
        using (decision - array['policy', 'policy_number', 'policy_hash', 'at'])::text;
update status set policy_ref = d.policy_ref from decided_policy d where d.policy_hash = status.policy_hash;
alter table status alter column policy_ref set not null, drop column policy_hash, drop column popup;

-- Sequences are drawn under a lock, so they are unique without an index that proves it at every row.
create index status_changes on status (sequence);
create index status_policy on status (policy_ref, person_ref);
-- A new version of a row finds room beside the old one.
alter table status set (fillfactor = 70);
