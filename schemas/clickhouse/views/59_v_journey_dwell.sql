CREATE OR REPLACE VIEW {{.Database}}.v_journey_dwell
(
    unit String COMMENT 'container or wagon',
    unit_kind LowCardinality(String) COMMENT 'container or wagon: never add them up',
    journey String COMMENT 'journey of the unit',
    origin LowCardinality(String) COMMENT 'catalogue id of the first place of the journey',
    last_place LowCardinality(String) COMMENT 'catalogue id of the last place so far: the destination if ended',
    last_country LowCardinality(String) COMMENT 'ISO country code of last_place',
    ended Bool COMMENT 'the unit left the last place without a vehicle (delivered, gate out): the figures are final',
    started_at Nullable({{time}}) COMMENT 'departure from origin, UTC',
    last_at Nullable({{time}}) COMMENT 'arrival at the last place, UTC',
    ports UInt64 COMMENT 'stops at ports that are counted',
    inland UInt64 COMMENT 'stops at other places that are counted',
    port_dwell_d Float64 COMMENT 'sum of the dwells at ports, days: all but where the journey begins; the last place too if it is a port',
    inland_dwell_d Float64 COMMENT 'sum of the dwells at all other places between the first and the last, days',
    consolidated_dwell_d Float64 COMMENT 'consolidated dwell: port_dwell_d + inland_dwell_d, days',
    port_of_arrival LowCardinality(String) COMMENT 'catalogue id of the first port reached by sea (over a sea section of the catalogue) before the last place, else of the first place if that is a port; empty: none',
    lead_time_d Nullable(Float64) COMMENT 'import corridor lead time: leaving port_of_arrival to arriving at the last place, days; NULL: no port, or not ended',
    landlocked Bool COMMENT 'last_country is a landlocked developing country, for which the report gives lead times'
)
COMMENT 'World Bank LPI 2023, container by container: dwell is the time at one location from arrival to departure, consolidated dwell the sum of port and intermediate inland dwells. A location is a place of the catalogue (most border stations have no UN/LOCODE). Stops that have not ended are not in the sums; journeys seen at one place only are left out.'
AS WITH
    (
        SELECT groupArrayArray([(from_place, to_place), (to_place, from_place)]) FROM {{.Database}}.catalogue_sections WHERE mode = 'sea'
    ) AS at_sea,
    ports AS (SELECT id FROM {{.Database}}.catalogue_places WHERE hasAny(kinds, ['seaport', 'ferry_port'])),
    journeys AS (
        SELECT
            unit, unit_kind, journey,
            arraySort(v -> (v.2, v.6), groupArray((toString(v.place), assumeNotNull(coalesce(arrived, entered, departed, left)), coalesce(departed, left),
                ifNull(dwell_s, 0), state = 'closed' AND vehicle_out = '', n, toString(v.place) IN (SELECT id FROM ports), stopped AND isNotNull(dwell_s)))) AS stays
        FROM {{.Database}}.v_visits AS v
        WHERE unit_kind IN ('container', 'wagon') AND isNotNull(coalesce(arrived, entered, departed, left))
        GROUP BY unit, unit_kind, journey
        HAVING count() > 1
    )
SELECT
    unit, unit_kind, journey, (stays[1]).1 AS origin, (stays[-1]).1 AS last_place,
    dictGetOrDefault('{{.Database}}.places', 'country', tuple(last_place), '') AS last_country,
    toBool((stays[-1]).5) AS ended, (stays[1]).3 AS started_at, (stays[-1]).2 AS last_at,
    arrayFilter((s, i) -> s.8 AND i > 1 AND s.7, stays, arrayEnumerate(stays)) AS port_stays,
    arrayFilter((s, i) -> s.8 AND i > 1 AND i < length(stays) AND NOT s.7, stays, arrayEnumerate(stays)) AS inland_stays,
    length(port_stays) AS ports, length(inland_stays) AS inland,
    arraySum(s -> s.4, port_stays) AS port_s, arraySum(s -> s.4, inland_stays) AS inland_s,
    round(port_s / 86400, 4) AS port_dwell_d, round(inland_s / 86400, 4) AS inland_dwell_d, round((port_s + inland_s) / 86400, 4) AS consolidated_dwell_d,
    arrayFirst((s, before, i) -> i > 1 AND i < length(stays) AND has(at_sea, (before.1, s.1)), stays, arrayShiftRight(stays, 1), arrayEnumerate(stays)) AS by_sea,
    if(by_sea.1 = '' AND (stays[1]).7 AND length(stays) > 1, stays[1], by_sea) AS port, port.1 AS port_of_arrival,
    if(port_of_arrival = '' OR NOT ended, NULL, round({{seconds "port.3" "last_at"}} / 86400, 4)) AS lead_time_d,
    -- Of the 32 of the United Nations those of the regions that corridors of the catalogue may reach.
    toBool(last_country IN ('AF', 'AM', 'AZ', 'KZ', 'KG', 'LA', 'MD', 'MK', 'MN', 'NP', 'TJ', 'TM', 'UZ')) AS landlocked
FROM journeys
