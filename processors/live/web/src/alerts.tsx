import { baselineOf, clockOf, country, firing, lasted, loud, overFor, resolved, severities, since, valueOf, wanted, wants, type Wanted } from "./alerting";
import { fits } from "./borders";
import { useCatalogue, type Catalogue } from "./catalogue";
import { clocks, duration, text } from "./format";
import { href, set } from "./route";
import type { Live, Row } from "./stream";
import { t, type Key } from "./texts";

/** What fires, the worst first, and what has ended in the last day. */
export function Alerts(p: { live: Live; query: URLSearchParams }) {
  const known = useCatalogue();
  const now = p.live.now();
  const filter = wanted(p.query);
  const words = p.query.get("q") ?? "";
  const all = p.live.rows("alerts");
  const seen = (a: Row) => wants(filter, a, known?.borders) && fits(a, words);
  const [fire, over] = [firing(p.live).filter(seen), resolved(p.live).filter(seen)];
  return (
    <article id="table" tabIndex={-1} class="unit alerts">
      <Choice filter={filter} all={all} known={known} />
      <h3>{t("firing", String(fire.length))}</h3>
      {fire.length ? <Listed rows={fire} now={now} known={known} /> : <p class="empty">{t(all.some((a) => a["firing"]) ? "nothingFits" : "nothingFires")}</p>}
      {over.length > 0 && <h3>{t("resolvedLately", String(over.length))}</h3>}
      {over.length > 0 && <Listed rows={over} now={now} known={known} />}
    </article>
  );
}

/** Which alerts are wanted, told by the address. */
function Choice(p: { filter: Wanted; all: Row[]; known: Catalogue | undefined }) {
  const ids = (of: string[], chosen: string) => [...new Set([...of, chosen])].filter((id) => id).sort();
  const borders = ids(p.all.map((a) => text(a["border"])), p.filter.border);
  const corridors = ids(p.all.flatMap((a) => a["corridors"] as string[]), p.filter.corridor);
  const pick = (name: string, key: Key, value: string, options: string[], told: (id: string) => string) => (
    <label>
      {t(key)}
      <select value={value} onChange={(e) => set({ [name]: e.currentTarget.value })}>
        <option value="">{t("allOfThem")}</option>
        {options.map((id) => <option key={id} value={id}>{told(id)}</option>)}
      </select>
    </label>
  );
  return (
    <div class="tools">
      {pick("border", "border", p.filter.border, borders, (id) => p.known?.borders.get(id)?.name ?? id)}
      {pick("corridor", "corridor", p.filter.corridor, corridors, (id) => p.known?.corridors.get(id)?.name ?? id)}
      <span class="buttons" role="group" aria-label={t("severity")}>
        {["", ...severities.slice(1)].map((s) => <button key={s} type="button" aria-pressed={p.filter.severity === s} onClick={() => set({ severity: s })}>{t(`atLeast_${s}` as Key)}</button>)}
      </span>
    </div>
  );
}

function Listed(p: { rows: Row[]; now: number; known: Catalogue | undefined }) {
  const clock = clocks(p.known);
  return (
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">{t("severity")}</th><th scope="col">{t("whatFires")}</th><th scope="col">{t("where")}</th>
          <th scope="col" class="n">{t(p.rows[0]!["firing"] ? "since" : "lasted")}</th><th scope="col" class="n">{t("howBad")}</th>
        </tr>
      </thead>
      <tbody>
        {p.rows.map((a) => (
          <tr key={a.key} class={a["firing"] ? loud(a) : "none"} data-fingerprint={a.key}>
            <td><Severity of={a} /></td>
            <th scope="row">
              <a href={href("alerts", a.key)}>{text(a["summary"])}</a>
              <small>{text(a["evidence"])}</small>
              <Because of={a} />
            </th>
            <td data-l={t("where")}><Where of={a} /></td>
            <td class="n" data-l={t(a["firing"] ? "since" : "lasted")}>
              {duration(lasted(a, p.now))}
              <small>{a["firing"] ? clock(since(a), clockOf(a, p.known)) : t("endedAgo", duration(overFor(a, p.now)))}</small>
            </td>
            <td class="n" data-l={t("howBad")}>{valueOf(a)}<small>{baselineOf(a)}</small></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How bad it is, and of which kind: a word and a colour. */
export function Severity(p: { of: Row }) {
  const s = text(p.of["severity"]);
  return <><span class="badge" title={t(`severity_${s}` as Key)}>{s}</span><small>{t(`kind_${text(p.of["kind"])}` as Key)}</small></>;
}

/** What it is about, with links. */
export function Where(p: { of: Row }) {
  const a = p.of;
  const [border, place, unit] = [text(a["border"]), text(a["place"]), text(a["unit"])];
  return (
    <>
      {border && <a href={href("report", border)}>{text(a["border_name"]) || border}</a>}
      {place && <a href={href("place", place)}>{text(a["place_name"]) || place}</a>}
      {!border && !place && t("areaOf", text(a["area"]))}
      <small>{[country(a) ? t(text(a["role"]) as Key, country(a)) : "", text(a["direction"])].filter((x) => x).join(", ")}</small>
      {unit && <small><a href={href("unit", unit)}>{unit}</a></small>}
    </>
  );
}

/** What was declared, and of what it became a part. */
export function Because(p: { of: Row }) {
  const a = p.of;
  return (
    <>
      {text(a["restriction"]) && <small>{t("declared", text(a["restriction"]))}</small>}
      {text(a["cause"]) && <small><a href={href("alerts", text(a["cause"]))}>{t("partOf", t(`kind_${text(a["cause"]).split("|")[0]}` as Key))}</a></small>}
    </>
  );
}
