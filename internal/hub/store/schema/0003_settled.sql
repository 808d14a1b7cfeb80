-- +goose Up

alter table conflict add column settled_by text; -- who has accepted it

-- +goose Down
alter table conflict drop column settled_by;
