-- A load unit's change from one vehicle to another, with its parts and causes; the sides of a crossing by cause, and the vehicles
-- there; a hand-over refused and offered again.

-- +goose NO TRANSACTION
-- +goose Up
{{range tables "visits" "visits_history" "crossings" "crossings_history"}}
ALTER TABLE {{$.Database}}.{{.}}
    ADD COLUMN IF NOT EXISTS refused_at {{time}} COMMENT 'last hand-over refused or returned',
    ADD COLUMN IF NOT EXISTS offered_again_at {{time}} COMMENT 'first hand-over offered after that',
    ADD COLUMN IF NOT EXISTS transfer_first String COMMENT 'vehicle that brought the load unit',
    ADD COLUMN IF NOT EXISTS transfer_second String COMMENT 'vehicle that took it on; empty: none yet',
    ADD COLUMN IF NOT EXISTS transfer_places Array(LowCardinality(String)) COMMENT 'where it was meanwhile',
    ADD COLUMN IF NOT EXISTS transfer_arrived {{time}} COMMENT 'arrived on the first',
    ADD COLUMN IF NOT EXISTS transfer_off_at {{time}} COMMENT 'taken off the first, or named by the list of the next',
    ADD COLUMN IF NOT EXISTS transfer_on_at {{time}} COMMENT 'put on the second',
    ADD COLUMN IF NOT EXISTS transfer_departed {{time}} COMMENT 'departed on the second',
    ADD COLUMN IF NOT EXISTS transfer_on_first_s Int64 COMMENT 'seconds on the first, while open up to transfer_as_of',
    ADD COLUMN IF NOT EXISTS transfer_between_s Int64 COMMENT 'seconds between the two, while open up to transfer_as_of',
    ADD COLUMN IF NOT EXISTS transfer_on_second_s Int64 COMMENT 'seconds on the second, while open up to transfer_as_of',
    ADD COLUMN IF NOT EXISTS transfer_cause Array(LowCardinality(String)) COMMENT 'causes, alphabetically',
    ADD COLUMN IF NOT EXISTS transfer_cause_s Array(Int64) COMMENT 'their seconds, while open up to transfer_as_of',
    ADD COLUMN IF NOT EXISTS transfer_overlap_s Int64 COMMENT 'seconds by which causes overlap',
    ADD COLUMN IF NOT EXISTS transfer_unexplained_s Int64 COMMENT 'seconds that no cause covers',
    ADD COLUMN IF NOT EXISTS transfer_as_of {{time}} COMMENT 'last time that is known of one that goes on; 1970: over',
    ADD COLUMN IF NOT EXISTS transfer_going_on Array(LowCardinality(String)) COMMENT 'causes that go on at transfer_as_of';
{{end}}
{{range $table := tables "crossings" "crossings_history"}}{{range sides}}
ALTER TABLE {{$.Database}}.{{$table}}
    ADD COLUMN IF NOT EXISTS {{.}}_cause Array(LowCardinality(String)) COMMENT 'causes of the side, alphabetically',
    ADD COLUMN IF NOT EXISTS {{.}}_cause_s Array(Int64) COMMENT 'their seconds',
    ADD COLUMN IF NOT EXISTS {{.}}_overlap_s Int64 COMMENT 'seconds by which causes overlap',
    ADD COLUMN IF NOT EXISTS {{.}}_vehicles Array(String) COMMENT 'runs a load unit was on, in order';
{{end}}{{end}}
