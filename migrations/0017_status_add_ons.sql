-- What stands beside the colour: doses of vaccine (bits 0 and 1) and a stay in a risk area (bit 2), stored with the
-- status and due with it. Code that does not know the column writes none, and the next recomputation puts it right.
alter table status add column add_ons smallint not null default 0 check (add_ons between 0 and 7);

-- Whoever may have one is decided again, in entries like those of a bulk append.
insert into evidence_change (bulk, since, people, persons)
select true, now(), count(*), array_agg(person_ref)
from (
    select person_ref, (row_number() over (order by person_ref) - 1) / 1000 as part
    from (
        select distinct person_ref from evidence where kind in ('vaccination', 'zone_stay', 'arrival')
    ) as concerned
) as numbered
group by part;
