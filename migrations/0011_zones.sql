-- Risk areas, emergency orders, and the two look-ups by which one statement reaches other people: whose contact
-- somebody is, and who was where. The look-ups repeat what statements say and are written with them.

create table zone (
    zone         text primary key check (length(zone) between 1 and 64),
    name_zh      text not null check (length(name_zh) between 1 and 120),
    name_en      text not null check (length(name_en) between 1 and 120),
    divisions    text[] not null,
    cells        text[] not null,
    polygon      text,
    declared_at  timestamptz not null,
    check (cardinality(divisions) + cardinality(cells) > 0)
);

-- What was decided about an area, never changed: each row is its state from `since` on.
create table zone_level (
    zone_level_id     bigint generated always as identity primary key,
    zone              text not null references zone,
    level             text not null check (length(level) between 1 and 16),
    since             timestamptz not null,
    last_infection_at timestamptz,
    stated_by         text not null,
    approved_by       text not null,
    received_at       timestamptz not null,
    check (stated_by <> approved_by)
);

create index zone_level_zone on zone_level (zone, since, zone_level_id);
create trigger zone_level_no_update before update on zone_level
    for each row execute function refuse_change();
create trigger zone_level_no_delete before delete on zone_level
    for each row execute function refuse_change();

create table emergency_order (
    order_key   text primary key check (length(order_key) between 1 and 64),
    level       text not null check (level in ('red', 'yellow')),
    scope       text not null check (length(scope) between 1 and 600),
    reason      text not null check (length(reason) between 1 and 600),
    ordered_at  timestamptz not null,
    ends_at     timestamptz not null check (ends_at > ordered_at),
    stated_by   text not null,
    approved_by text not null,
    received_at timestamptz not null,
    check (stated_by <> approved_by)
);

create trigger emergency_order_no_update before update on emergency_order
    for each row execute function refuse_change();
create trigger emergency_order_no_delete before delete on emergency_order
    for each row execute function refuse_change();

-- Contacts of contacts by the record of the close contact through whom they are one.
create table contact_link (
    source        text not null,
    parent_record text not null,
    evidence_id   bigint not null,
    person_ref    bigint not null,
    primary key (source, parent_record, evidence_id)
);

-- Stays by division, and by cell where a department knows it.
create table stay_place (
    evidence_id bigint primary key,
    person_ref  bigint not null,
    division    text not null,
    cell        text,
    began_at    timestamptz not null,
    ended_at    timestamptz
);

create index stay_place_division on stay_place (division text_pattern_ops, person_ref);
create index stay_place_cell on stay_place (cell, person_ref) where cell is not null;
