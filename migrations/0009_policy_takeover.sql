-- A new policy takes over: how far it is with the people of each earlier one, kept after it is done.
--
-- A publication governs once, for one stretch of time, so a row that is finished stays true: whoever is still under the
-- earlier policy's hash comes out the same by the new one.

create table policy_takeover (
    new_hash       text not null check (length(new_hash) = 64),
    publication_id bigint not null,
    old_hash       text not null check (length(old_hash) = 64),
    everybody      boolean not null,
    kinds          text[] not null,
    total          bigint not null check (total >= 0),
    done           bigint not null default 0 check (done >= 0),
    after_person   bigint not null default 0,
    started_at     timestamptz not null,
    updated_at     timestamptz not null,
    finished_at    timestamptz,
    primary key (new_hash, publication_id, old_hash)
);

-- Whom a change of rules about some kind of evidence can concern. The kinds that nearly everybody has statements of are
-- left out: looking for their people saves nothing, and they are the rows that must be written fast (tests alone are
-- more than nine rows of ten).
create index evidence_kind_person on evidence (kind, person_ref)
    where kind not in ('test', 'sampling', 'declaration', 'vaccination');
