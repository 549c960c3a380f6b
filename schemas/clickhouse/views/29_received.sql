CREATE OR REPLACE VIEW {{.Database}}.received
COMMENT 'What came from each source in the last day of stage time, for the page; what was taken back came, too. Only rows of the day are read whole: an event that came again counts once by its key, for which FINAL would merge all events there are.'
AS WITH (SELECT now FROM {{.Database}}.v_now) - INTERVAL 24 HOUR AS began
SELECT source, event, count() AS n, countIf(told.1) AS late, max(told.2) AS last_at,
    if(countIf(isNotNull(told.3)) = 0, NULL, quantileIf(0.5)(dateDiff('millisecond', told.2, assumeNotNull(told.3)) / 1000, isNotNull(told.3))) AS delay_s
FROM (
{{- range $i, $table := tables "train_events" "unit_events"}}{{if $i}}
    UNION ALL
{{- end}}
    SELECT toString(source) AS source, toString(verb) AS event, argMax((late, time, {{known "accepted_at"}}), version) AS told
    FROM {{from $table}} WHERE time > began GROUP BY source, event, cityHash64(subject, id)
{{- end}}
)
GROUP BY source, event
