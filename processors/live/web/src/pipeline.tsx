import { useEffect, useState } from "preact/hooks";
import { useRows } from "./api";
import { duration, minute, number, silence, text } from "./format";
import type { Live, Row } from "./stream";
import { t } from "./texts";

interface State {
  time: string;
  problem: string;
  tasks: { stage: string; task: string; stage_time: string }[];
  lags: { reader: string; topic: string; records: number }[];
}

/** A source that has sent nothing for so long is told in colour, seconds of stage time. */
const quiet = 3600;
/** A stage whose slowest task is so far behind the fastest is, too. */
const behind = 600;

/** How far what is shown can be trusted: freshness of each source, stage time, what waits, what was rejected. */
export function Pipeline(p: { live: Live }) {
  const now = p.live.now();
  const [state, error] = usePipeline();
  const sources = useRows<Row>("sources", { order: "source" }, 10_000);
  const received = useRows<Row>("received", { order: "source,event" }, 60_000);
  const rejects = useRows<Row>("rejects", { open: "true", order: "-at", limit: 200 }, 10_000);
  const tables = (state?.lags ?? []).filter((l) => l.reader.endsWith("sink") && l.records > 0);
  const newest = Math.max(...(state?.tasks ?? []).map((x) => Date.parse(x.stage_time)));
  return (
    <article id="table" tabIndex={-1} class="unit">
      {(error || state) && <p class={`banner ${error || state?.problem ? "bad" : "good"}`} role="status">{error || state?.problem || t("ready")}</p>}
      <div class="cards">
        <section>
          <h3>{t("sources")}</h3>
          <Problem of={sources.error} />
          {!sources.rows && !sources.error && <p class="empty">{t("loading")}</p>}
          <table>
            <thead><tr><th scope="col">{t("source")}</th><th scope="col" class="n">{t("lastEvent")}</th><th scope="col" class="n">{t("underWay")}</th><th scope="col" class="n">{t("silentNow")}</th><th scope="col" class="n">{t("rejected")}</th></tr></thead>
            <tbody>
              {(sources.rows ?? []).map((r) => {
                const old = silence(r["seen_at"], now);
                return (
                  <tr key={text(r["source"])} class={old > quiet ? "warn" : ""}>
                    <th scope="row">{text(r["source"]) || "–"}</th>
                    <td class="n">{Number.isNaN(old) ? "–" : t("ago", duration(old))}</td>
                    <td class="n">{number(r["open"])}</td><td class="n">{number(r["silent"])}</td><td class="n">{number(r["rejects"])}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </section>
        <section>
          <h3>{t("stages")}</h3>
          <table>
            <thead><tr><th scope="col">{t("stage")}</th><th scope="col">{t("stageTime")}</th><th scope="col" class="n">{t("behindNewest")}</th><th scope="col" class="n">{t("tasks")}</th><th scope="col" class="n">{t("waitingRecords")}</th></tr></thead>
            <tbody>
              {[...new Set((state?.tasks ?? []).map((x) => x.stage))].map((stage) => {
                const times = state!.tasks.filter((x) => x.stage === stage).map((x) => Date.parse(x.stage_time));
                const slowest = Math.min(...times);
                const lag = (newest - slowest) / 1000;
                const waiting = state!.lags.filter((l) => l.reader.endsWith(stage)).reduce((sum, l) => sum + l.records, 0);
                return (
                  <tr key={stage} class={lag > behind ? "warn" : ""}>
                    <th scope="row">{stage}</th><td class="when">{minute(slowest)}</td><td class="n">{duration(lag)}</td><td class="n">{times.length}</td><td class="n">{waiting}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
          <h3>{t("toTables")}</h3>
          {tables.length === 0 && <p class="count">{t("nothingWaits")}</p>}
          {tables.length > 0 && (
            <table>
              <thead><tr><th scope="col">{t("topic")}</th><th scope="col" class="n">{t("waitingRecords")}</th></tr></thead>
              <tbody>{tables.map((l) => <tr key={l.topic}><th scope="row">{l.topic}</th><td class="n">{l.records}</td></tr>)}</tbody>
            </table>
          )}
        </section>
        <section>
          <h3>{t("received")}</h3>
          <Problem of={received.error} />
          {!received.rows && !received.error && <p class="empty">{t("loading")}</p>}
          <table>
            <thead><tr><th scope="col">{t("source")}</th><th scope="col">{t("what")}</th><th scope="col" class="n">{t("inADay")}</th><th scope="col" class="n">{t("tooLate")}</th><th scope="col" class="n">{t("lastEvent")}</th><th scope="col" class="n">{t("cameAfter")}</th></tr></thead>
            <tbody>
              {(received.rows ?? []).map((r) => (
                <tr key={`${r["source"]} ${r["event"]}`}>
                  <th scope="row">{text(r["source"])}</th><td>{text(r["event"])}</td><td class="n">{number(r["n"])}</td><td class="n">{number(r["late"])}</td>
                  <td class="n">{t("ago", duration(silence(r["last_at"], now)))}</td>
                  <td class="n">{Number.isNaN(number(r["delay_s"])) ? "–" : duration(number(r["delay_s"]))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </div>
      <h3>{t("rejects")}</h3>
      <Problem of={rejects.error} />
      {rejects.rows && !rejects.rows.length && <p class="empty">{t("noRejects")}</p>}
      {!!rejects.rows?.length && (
        <table class="stack">
          <thead><tr><th scope="col">{t("source")}</th><th scope="col">{t("reason")}</th><th scope="col">{t("detail")}</th><th scope="col">{t("asItCame")}</th><th scope="col" class="n">{t("rejectedAt")}</th></tr></thead>
          <tbody>
            {rejects.rows.map((r) => (
              <tr key={text(r["id"])}>
                <th scope="row">{text(r["source"]) || "–"}</th><td>{text(r["reason"]).replaceAll("_", " ")}</td><td>{text(r["detail"])} <small>{text(r["path"])}</small></td>
                <td><code>{text(r["value"]).slice(0, 160)}</code></td><td class="n">{minute(Date.parse(text(r["at"])))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </article>
  );
}

function Problem(p: { of: string }) {
  return p.of ? <p class="empty bad" role="alert">{p.of}</p> : null;
}

/** The state of stages and sinks, asked for every five seconds, and why it was not answered. */
function usePipeline(): [State | undefined, string] {
  const [state, setState] = useState<State>();
  const [error, setError] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const go = async () => {
      try {
        const res = await fetch("/api/v1/pipeline", { signal: stop.signal });
        if (!res.ok) throw new Error((await res.text()) || res.statusText);
        setState(await res.json());
        setError("");
      } catch (e) {
        if (!stop.signal.aborted) setError(String(e));
      }
      if (!stop.signal.aborted) timer = window.setTimeout(go, 5000);
    };
    void go();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, []);
  return [state, error];
}
