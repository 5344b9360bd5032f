-- What a venue of category `vehicle` is, for its code: the kind, the plate, and who operates it.

create table vehicle (
    venue_ref integer primary key references venue,
    kind      text not null check (length(kind) between 1 and 16),
    plate     text not null check (octet_length(plate) between 1 and 24),
    operator  text not null check (length(operator) between 1 and 60)
);
