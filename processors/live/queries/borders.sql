-- Borders of the catalogue, with the places of both sides.
-- id: catalogue id
-- name: name
-- country_a: ISO country code of one side
-- country_b: ISO country code of the other
-- places_a: border stations of country_a
-- places_b: border stations of country_b
-- sea: the border is crossed by ship
-- area: places that one cause can delay together
SELECT id, name, country_a, country_b, places_a, places_b, sea, area FROM catalogue_borders
