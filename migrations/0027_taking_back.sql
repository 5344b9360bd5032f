-- Taking results back: who the second person was, and quickly how many somebody took back alone within a day.
alter table contact_confirmation
    add column withdrawal_approved_by text check (length(withdrawal_approved_by) between 1 and 64);
create index contact_confirmation_taken_back on contact_confirmation (withdrawn_at)
    where withdrawal_approved_by is null;
create index field_judgement_none on field_judgement (at) where tier is null;
