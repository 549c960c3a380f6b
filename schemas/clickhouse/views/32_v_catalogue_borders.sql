CREATE OR REPLACE VIEW {{.Database}}.v_catalogue_borders
(
    border String COMMENT 'catalogue id of the border, as in the column border of other views',
    border_name String COMMENT 'name of the border',
    direction LowCardinality(String) COMMENT 'from_country-to_country: each border has two rows, one for each direction',
    from_country LowCardinality(String) COMMENT 'ISO code of the country that is left',
    to_country LowCardinality(String) COMMENT 'ISO code of the country that is entered',
    outbound_places Array(String) COMMENT 'catalogue ids of the places of the side that is left (v_catalogue_places)',
    inbound_places Array(String) COMMENT 'catalogue ids of the places of the side that is entered',
    gauge_break LowCardinality(String) COMMENT 'catalogue id of the gauge break there; empty: none, trains go through',
    customs Bool COMMENT 'goods are cleared by customs there',
    sanitary Bool COMMENT 'there is sanitary or phytosanitary inspection',
    sea Bool COMMENT 'the way between both sides is by sea: vessels cross, not trains',
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together',
    outbound_zone LowCardinality(String) COMMENT 'reporting zone of the side that is left (IANA): the clocks by which its railway days are counted',
    outbound_day_start LowCardinality(String) COMMENT 'when the railway day of the side that is left begins, by these clocks: 18:00',
    inbound_zone LowCardinality(String) COMMENT 'reporting zone of the side that is entered (IANA)',
    inbound_day_start LowCardinality(String) COMMENT 'when the railway day of the side that is entered begins, by these clocks'
)
COMMENT 'The border crossings of the catalogue, a row for each direction. What stands there now: v_borders_now; norms by side: v_crossing_sides.norm_s.'
AS WITH m -> concat(leftPad(toString(intDiv(m, 60)), 2, '0'), ':', leftPad(toString(m % 60), 2, '0')) AS clock
SELECT
    id AS border, name AS border_name, concat(from_country, '-', to_country) AS direction, way.1 AS from_country, way.2 AS to_country,
    way.3 AS outbound_places, way.4 AS inbound_places, gauge_break, customs, sanitary, sea, area,
    way.5 AS outbound_zone, clock(way.6) AS outbound_day_start, way.7 AS inbound_zone, clock(way.8) AS inbound_day_start
FROM (
    SELECT *, arrayJoin([
        (country_a, country_b, places_a, places_b, zone_a, day_start_a, zone_b, day_start_b),
        (country_b, country_a, places_b, places_a, zone_b, day_start_b, zone_a, day_start_a)]) AS way
    FROM {{.Database}}.catalogue_borders
)
