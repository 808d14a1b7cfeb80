-- +goose Up

-- What one station of a lab does for all, such as to remind people. fence grows with each new
-- holder: what one sends that is not the holder any more is refused by it.
create table lease (
  lab bigint not null,
  work text not null,
  station text not null,
  fence bigint not null,
  until timestamptz not null,
  primary key (lab, work)
);

-- What was done under a lease, and must not be done again by the next holder.
create table done (
  lab bigint not null,
  work text not null,
  what text not null,
  station text not null,
  at timestamptz not null,
  primary key (lab, work, what)
);
create index done_at on done (lab, at);

-- +goose Down
drop table done;
drop table lease;
