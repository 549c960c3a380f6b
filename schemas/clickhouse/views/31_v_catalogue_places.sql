CREATE OR REPLACE VIEW {{.Database}}.v_catalogue_places
(
    place String COMMENT 'catalogue id of the place, as in the columns place, from_place ... of other views',
    place_name String COMMENT 'name of the place',
    country LowCardinality(String) COMMENT 'ISO country code',
    kinds Array(String) COMMENT 'what it is: station, junction, hub, border_station, border_point, gauge_break, dry_port, seaport, ferry_port; may be several',
    zone LowCardinality(String) COMMENT 'time zone of its clocks (IANA)',
    gauges Array(UInt16) COMMENT 'track gauges there, mm',
    lat Nullable(Float64) COMMENT 'degrees north (WGS 84); NULL: not known, then visits there come from reports alone',
    lon Nullable(Float64) COMMENT 'degrees east (WGS 84); NULL: not known',
    quality LowCardinality(String) COMMENT 'where the position is from: surveyed, osm (OpenStreetMap), wikipedia, or approximate (good to 3 to 5 km)',
    radius_m Nullable(Float64) COMMENT 'radius of its fence, metres; of a fence that is an outline that of a circle as large; NULL: no position, no fence',
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together; empty: none',
    borders Array(String) COMMENT 'catalogue ids of the borders it is a station of (v_catalogue_borders)'
)
COMMENT 'The places of the catalogue: stations, ports, terminals, border points.'
AS SELECT
    id AS place, name AS place_name, country, kinds, zone, gauges, if(has_position, lat, NULL) AS lat, if(has_position, lon, NULL) AS lon, quality,
    if(has_position AND radius_m > 0, radius_m, NULL) AS radius_m, area, arraySort(b.ids) AS borders
FROM {{.Database}}.catalogue_places AS p
LEFT JOIN (
    SELECT arrayJoin(arrayConcat(places_a, places_b)) AS place, groupUniqArray(id) AS ids FROM {{.Database}}.catalogue_borders GROUP BY place
) AS b ON b.place = p.id
