-- +goose Up

-- A lab is the stations that share people, devices and loans. Its row is locked by whoever
-- changes anything of it, so its numbers are given without a gap, in the order of commits.
create table lab (
  id bigint primary key,
  name text not null unique,
  epoch bigint not null,       -- changes when the database has lost what was acknowledged
  seq bigint not null,         -- of its newest event
  ver bigint not null,         -- of its newest row
  members_ver bigint not null, -- of the newest change to the list of its stations
  newest timestamptz not null, -- the newest lab time that was given
  key_check bytea              -- by which the site key is recognised; it is kept elsewhere
);

-- A station is a member of a lab. One that has left has no token.
create table station (
  lab bigint not null,
  name text not null,
  chain bytea,                 -- null before its first event
  token bytea,                 -- its SHA-256
  joined timestamptz not null,
  heard timestamptz not null,
  epoch bigint not null,       -- the rows that it has
  since bigint not null,
  version text not null,
  fault text not null,
  primary key (lab, name)
);
create unique index station_token on station (token);

create table join_code (
  id text primary key,
  lab bigint not null,
  proof bytea not null,
  expires timestamptz not null,
  spent timestamptz
);

create table chain (
  lab bigint not null,
  genesis bytea not null,
  seq bigint not null,
  hash bytea not null,
  ht timestamptz not null,     -- lab time of its newest event
  primary key (lab, genesis)
);

-- The events of all chains, as records. The other columns find them. Personal ones are
-- null once they are erased.
create table event (
  lab bigint not null,
  chain bytea not null,
  seq bigint not null,
  lab_seq bigint not null,
  ht timestamptz not null,
  kind text not null,
  device text,
  moves boolean not null,      -- says who has the device
  person text,
  former text,                 -- the previous holder
  actor text,                  -- where it is not the person
  base_chain bytea,
  base_seq bigint,
  record bytea not null,
  primary key (lab, chain, seq)
);
create unique index event_arrival on event (lab, lab_seq);
create index event_device on event (lab, device, ht, chain, seq) where device is not null;
create index event_person on event (lab, person, lab_seq) where person is not null;
create index event_former on event (lab, former, lab_seq) where former is not null;
create index event_actor on event (lab, actor, lab_seq) where actor is not null;

-- Events that others are based on and that the lab has lost, until they are sent again: they
-- were before this lab time.
create table awaited (
  lab bigint not null,
  chain bytea not null,
  seq bigint not null,
  ht timestamptz not null,
  primary key (lab, chain, seq)
);

-- People and devices. doc has a value and the version that set it for each field.
create table subject (
  lab bigint not null,
  kind text not null,
  id text not null,
  ver bigint not null,
  doc jsonb not null,
  erased boolean not null,
  primary key (lab, kind, id)
);
create unique index subject_ver on subject (lab, ver);

create table subject_tag (
  lab bigint not null,
  lookup text not null,
  kind text not null,
  id text not null,
  primary key (lab, lookup)
);

-- The last statement of each device.
create table device_loan (
  lab bigint not null,
  device text not null,
  ver bigint not null,
  chain bytea not null,
  seq bigint not null,
  ht timestamptz not null,
  person text not null,        -- empty: nobody
  station text not null,
  length bigint not null,      -- in seconds; 0 for no limit
  lost boolean not null,
  kit text not null,
  doubtful boolean not null,
  said_ht timestamptz,         -- the event that said last how long, or that it is right
  said_chain bytea,
  said_seq bigint,
  primary key (lab, device)
);
create unique index device_loan_ver on device_loan (lab, ver);
create index device_loan_person on device_loan (lab, person) where person <> '';

-- What an admin should know of: events whose station did not see what was before, and what
-- was refused of the register.
create table conflict (
  lab bigint not null,
  id bigint not null,
  kind text not null,          -- unseen, doubtful, field, tag
  device text,
  chain bytea,                 -- the event, and the one before it
  seq bigint,
  before_chain bytea,
  before_seq bigint,
  subject_kind text,
  subject text,
  field text,
  kept text,
  refused text,
  station text not null,
  at timestamptz not null,
  settled timestamptz,
  primary key (lab, id)
);
create unique index conflict_event on conflict (lab, chain, seq);
create index conflict_subject on conflict (lab, subject) where subject is not null;

-- Pending tags that were resolved, and people who were merged: who they are now.
create table alias (
  lab bigint not null,
  kind text not null,
  was text not null,
  now text not null,
  primary key (lab, kind, was)
);
create index alias_now on alias (lab, kind, now);

-- +goose Down
drop table alias;
drop table conflict;
drop table device_loan;
drop table subject_tag;
drop table subject;
drop table awaited;
drop table event;
drop table chain;
drop table join_code;
drop table station;
drop table lab;
