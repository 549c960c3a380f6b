-- Sections of the catalogue: what joins two places.
-- id: catalogue id
-- from_place: catalogue id of one end
-- to_place: catalogue id of the other
-- km: length, km
-- mode: rail, sea or road
-- status: open, planned or closed
-- gauge: millimetres; 0: none
SELECT id, from_place, to_place, km, mode, status, gauge FROM catalogue_sections
