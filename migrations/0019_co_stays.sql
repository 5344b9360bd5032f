-- Who was together by other sources than scans: households, units, seats, carriers' lists of companions. The table
-- repeats what standing statements say, written with them; a place is a digest of what names it.

create table co_stay (
    place       uuid not null,
    begins_at   timestamptz not null,
    -- Null while no end is known.
    ends_at     timestamptz check (ends_at > begins_at),
    person_ref  integer not null,
    kind        text not null check (length(kind) between 1 and 16),
    -- The row of seats; 0 where rows do not count or nobody knows it.
    seat_row    smallint not null check (seat_row between 0 and 255),
    strong      boolean not null,
    evidence_id bigint not null
);

-- What was stated before this table came: the same as tianfu.evidence.co_stays makes of new statements.
with standing as (
    select e.evidence_id, e.person_ref, e.kind, e.source_record, e.grade = 'strong' as strong, e.attributes as said
    from evidence e
    where e.kind in ('membership', 'journey', 'contact', 'case')
      and e.withdraws is null
      and not exists (
          select from evidence later
          where later.source = e.source
            and later.source_record = e.source_record
            and later.evidence_id <> e.evidence_id
            and (
                later.withdraws = e.evidence_id
                or (
                    later.withdraws is null
                    and (later.occurred_at, later.evidence_id) > (e.occurred_at, e.evidence_id)
                    and not exists (
                        select from evidence withdrawal
                        where withdrawal.source = later.source
                          and withdrawal.source_record = later.source_record
                          and withdrawal.withdraws = later.evidence_id
                    )
                )
            )
      )
),
member as (
    select
        s.*,
        case s.said ->> 'group'
            when 'household' then 'household'
            when 'worker' then 'work'
            when 'pupil' then 'school'
            when 'teacher' then 'school'
            else 'care'
        end as stay
    from standing s
    where s.kind = 'membership'
),
journey as (
    select
        s.*,
        case when (s.said ->> 'crew')::boolean then 0
            else least(coalesce((s.said ->> 'row')::integer, 0), 255)
        end as seat_row,
        (s.said ->> 'departed_at')::timestamptz as begins_at,
        greatest(
            (s.said ->> 'arrived_at')::timestamptz, (s.said ->> 'departed_at')::timestamptz + interval '1 minute'
        ) as ends_at,
        s.said ->> 'mode' as mode,
        coalesce(s.said ->> 'ventilation' = 'open', false) as open_air
    from standing s
    where s.kind = 'journey'
),
found (names, begins_at, ends_at, person_ref, kind, seat_row, strong, evidence_id) as (
    select
        array[stay, said ->> 'institution', coalesce(said ->> 'unit', '')],
        (said ->> 'began_at')::timestamptz, (said ->> 'ended_at')::timestamptz, person_ref, stay, 0, strong, evidence_id
    from member
    union all
    select
        case when mode in ('air', 'coach') then array[mode, said ->> 'service']
            else array[mode, said ->> 'service', said ->> 'carriage']
        end,
        begins_at, ends_at, person_ref,
        case
            when mode = 'air' then 'flight'
            when mode = 'ship' then 'ship'
            else case mode when 'coach' then 'coach' else 'train' end || case when open_air then '_open' else '' end
        end,
        seat_row, strong, evidence_id
    from journey
    where mode in ('air', 'coach') or said ->> 'carriage' is not null
    union all
    select array[mode, said ->> 'service'], begins_at, ends_at, person_ref, 'aboard', 0, strong, evidence_id
    from journey
    where mode in ('rail', 'ship')
    union all
    select
        array['telecom', said ->> 'case'],
        (said ->> 'last_exposure_at')::timestamptz, (said ->> 'last_exposure_at')::timestamptz + interval '1 minute',
        person_ref, 'companion', 0, strong, evidence_id
    from standing
    where kind = 'contact' and said ->> 'setting' = 'telecom'
    union all
    select
        array['telecom', source_record],
        coalesce((said ->> 'onset_at')::timestamptz, (said ->> 'diagnosed_at')::timestamptz) - interval '672 hours',
        null, person_ref, 'telecom', 0, strong, evidence_id
    from standing
    where kind = 'case'
)
insert into co_stay (place, begins_at, ends_at, person_ref, kind, seat_row, strong, evidence_id)
select
    encode(substring(sha256(convert_to((
        select string_agg(octet_length(name) || ':' || name, '' order by turn)
        from unnest(found.names) with ordinality as part (name, turn)
    ), 'UTF8')) from 1 for 16), 'hex')::uuid,
    begins_at, ends_at, person_ref, kind, seat_row, strong, evidence_id
from found
-- A membership that ended as it began says nothing of anybody's company.
where ends_at is null or ends_at > begins_at;

create index co_stay_place on co_stay (place, begins_at);
create index co_stay_person on co_stay (person_ref);
