-- +goose Up

alter table station add column url text not null default ''; -- where browsers reach it

-- +goose Down
alter table station drop column url;
