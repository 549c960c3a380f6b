-- What has a text in its id or name, whole words first.
-- ?text: what to look for
-- kind: train, vessel, wagon, container, place, border or corridor
-- id: its id
-- name: its name; of a unit the id
-- rank: 0: it is the text, 1: it begins with it, 2: it holds it
SELECT kind, id, name, multiIf(lower(id) = lower({text:String}) OR lower(name) = lower({text:String}), 0,
    startsWith(lower(id), lower({text:String})) OR startsWith(lower(name), lower({text:String})), 1, 2) AS rank
FROM (
    SELECT 'place' AS kind, id, name FROM catalogue_places
    UNION ALL SELECT 'border', id, name FROM catalogue_borders
    UNION ALL SELECT 'corridor', id, name FROM catalogue_corridors
    UNION ALL SELECT toString(unit_kind), run, run FROM v_train_status
    UNION ALL SELECT DISTINCT toString(unit_kind), unit, unit FROM v_visits WHERE unit_kind IN ('wagon', 'container')
)
WHERE positionCaseInsensitiveUTF8(id, {text:String}) > 0 OR positionCaseInsensitiveUTF8(name, {text:String}) > 0
