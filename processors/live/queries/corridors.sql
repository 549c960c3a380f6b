-- Corridors of the catalogue: places in order, by kilometre.
-- id: catalogue id
-- name: name
-- status: open, planned or closed
-- places: catalogue ids of its places, in order
-- km: of each place, from the first on
SELECT id, name, status, places, km FROM catalogue_corridors
