-- +goose Up

-- An office is a hub's own station, without readers: what admins do at the hub is its chain.
alter table station add column office boolean not null default false;

-- +goose Down
alter table station drop column office;
