-- What a one-time password was used for: the same claim sent again after a lost answer is answered again, any other
-- use of a used password is refused.
alter table one_time_password add column used_by bigint references person;

-- How many records each account has read in a day of Asia/Shanghai: the budget that stops bulk reading.
create table read_budget (
    account_ref integer not null references account,
    day         date not null,
    reads       integer not null check (reads >= 0),
    primary key (account_ref, day)
);
