import type { ComponentChildren } from "preact";
import { baselineOf, clockOf, firing, lasted, loud, overFor, since, valueOf } from "./alerting";
import { Because, Severity, Where } from "./alerts";
import { useRows } from "./api";
import { useCatalogue, type Catalogue } from "./catalogue";
import { clocks, duration, text } from "./format";
import { href } from "./route";
import type { Live, Row } from "./stream";
import { t, type Key } from "./texts";

const refresh = 10_000;
const most = 1000;

/** An alert: what, where, since when and why, and what was told of it by and by. */
export function Alert(p: { live: Live; id: string }) {
  const known = useCatalogue();
  const told = useRows<Row>("alert_versions", { fingerprint: p.id, limit: most }, refresh);
  const now = p.live.now();
  const versions = (told.rows ?? []).map((r): Row => ({ ...r, key: p.id })).sort((a, b) => at(b) - at(a));
  // The stream is fresher, and has what fires or fired in the last day.
  const row = p.live.views.get("alerts")?.get(p.id) ?? versions.find((v) => !v["taken_back"]);
  if (!row && told.error) return <p class="empty bad" role="alert">{told.error}</p>;
  if (!row) return <p class="empty">{t(told.rows ? "unknownAlert" : "loading", p.id)}</p>;
  const over = versions[0]?.["taken_back"] ? "takenBack" : row["firing"] ? "" : "isOver";
  const corridors = row["corridors"] as string[];
  const parts = p.live.rows("alerts").filter((a) => a["cause"] === p.id);
  return (
    <article id="table" tabIndex={-1} class="unit alert">
      <p class={`banner ${over ? "good" : loud(row)}`} role="status">
        <strong>{text(row["summary"])}</strong>
        {over && <small>{t(over as Key, duration(overFor(row, now)))}</small>}
      </p>
      <Facts row={row} now={now} known={known} />
      <h3>{t("evidence")}</h3>
      <p>{text(row["evidence"]) || "–"} <Because of={row} /></p>
      {parts.length > 0 && <h3>{t("becamePart", String(parts.length))}</h3>}
      {parts.length > 0 && <ul>{parts.map((a) => <li key={a.key}><a href={href("alerts", a.key)}>{text(a["summary"])}</a></li>)}</ul>}
      {corridors.length > 0 && <h3>{t("inDiagramOf")}</h3>}
      <p class="links">{corridors.map((id) => <a key={id} href={href("corridor", id, { q: text(row["unit"]) })}>{known?.corridors.get(id)?.name ?? id}</a>)}</p>
      <h3>{t("versions")} <small class="inline">{told.asked ? t("askedAgo", duration((Date.now() - told.asked) / 1000)) : ""}</small></h3>
      {told.error && <p class="empty bad" role="alert">{told.error}</p>}
      <Versions rows={versions} known={known} />
      <p class="links">
        {firing(p.live).length > 0 && <a href={href("alerts")}>{t("allAlerts")}</a>}
        {text(row["border"]) && <a href={href("alerts", "", { border: text(row["border"]) })}>{t("alertsOf", text(row["border_name"]))}</a>}
        <a href={`/api/v1/alert_versions?fingerprint=${encodeURIComponent(p.id)}&format=csv&limit=100000`} download>alert_versions.csv</a>
      </p>
    </article>
  );
}

/** When a version was told; one that takes the alert back says nothing else than when it was written. */
const at = (v: Row): number => Date.parse(text(v["updated"]) || text(v["known_at"]));

function Facts(p: { row: Row; now: number; known: Catalogue | undefined }) {
  const a = p.row;
  const clock = clocks(p.known);
  const place = clockOf(a, p.known);
  const facts: [Key, ComponentChildren][] = [
    ["severity", <Severity of={a} />],
    ["where", <Where of={a} />],
    ["sinceWhen", clock(since(a), place)],
    [a["firing"] ? "since" : "lasted", duration(lasted(a, p.now))],
  ];
  if (!a["firing"]) facts.push(["endedAt", clock(Date.parse(text(a["resolved"])), place)]);
  facts.push(["value", valueOf(a)]);
  facts.push(["against", <>{baselineOf(a) || "–"}<small>{t(`basis_${text(a["baseline_basis"])}` as Key)}</small></>]);
  return <dl class={`facts ${a["firing"] ? loud(a) : ""}`}>{facts.map(([key, value]) => <div key={key}><dt>{t(key)}</dt><dd>{value}</dd></div>)}</dl>;
}

function Versions(p: { rows: Row[]; known: Catalogue | undefined }) {
  const clock = clocks(p.known);
  return (
    <table class="stack versions">
      <thead>
        <tr>
          <th scope="col">{t("toldAt")}</th><th scope="col">{t("state")}</th><th scope="col">{t("whatFires")}</th><th scope="col" class="n">{t("howBad")}</th>
        </tr>
      </thead>
      <tbody>
        {p.rows.map((v) => (
          <tr key={`${at(v)} ${v["taken_back"]}`} class={v["firing"] ? loud(v) : "none"}>
            <th scope="row" class="when">{clock(at(v), clockOf(v, p.known))}</th>
            <td data-l={t("state")}><span class="badge">{t(stateOf(v))}</span><small>{v["firing"] ? text(v["severity"]) : ""}</small></td>
            <td>{text(v["summary"])}<small>{text(v["evidence"])}</small><Because of={v} /></td>
            <td class="n" data-l={t("howBad")}>{v["taken_back"] ? "" : valueOf(v)}<small>{v["taken_back"] ? "" : baselineOf(v)}</small></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function stateOf(v: Row): Key {
  if (v["taken_back"]) return "told_back";
  if (!v["firing"]) return "told_resolved";
  return v["revision"] === 1 ? "told_firing" : "told_again";
}
