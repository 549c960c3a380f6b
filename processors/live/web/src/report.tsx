import { useEffect, useState } from "preact/hooks";
import { useCatalogue } from "./catalogue";
import { clockIn, duration } from "./format";
import { href, set } from "./route";
import type { Live } from "./stream";
import { t, type Key } from "./texts";
import { word } from "./unit";

interface Side {
  role: string;
  country: string;
  start: number;
  arrived: number;
  left: number;
  end: number;
  breaks: { unit: string; by: number; why: string }[];
  longest: { unit: string; since: string; seconds: number; norm_s: number | null; causes: { cause: string; seconds: number }[] | null }[];
}
interface Flow {
  direction: string;
  zone: string;
  from: string;
  to: string;
  over: boolean;
  planned: number | null;
  sides: Side[];
  refused: { unit: string; at: string; step: string; cause: string }[];
  held: { unit: string; place_name: string; cause: string; since: string; until: string | null }[];
}
interface Sheet {
  border: string;
  name: string;
  unit_kind: string;
  day: string;
  shift: string;
  stage_time: string;
  flows: Flow[];
}

const refresh = 30_000;

/** The sheet of a railway day or shift at a border, as it is handed over and printed. */
export function Report(p: { live: Live; id: string; query: URLSearchParams }) {
  const known = useCatalogue();
  const busiest = [...p.live.rows("borders")].sort((a, b) => Number(b["waiting"]) - Number(a["waiting"]) || (a.key < b.key ? -1 : 1))[0]?.["border"];
  const border = p.id || String(busiest ?? "");
  const kind = p.query.get("unit") ?? "train";
  const [sheet, error] = useSheet(border, { day: p.query.get("day") ?? "", shift: p.query.get("shift") ?? "", unit_kind: kind });
  const step = (days: number) => {
    const at = new Date(Date.parse(sheet?.day ?? "") + days * 86_400_000);
    set({ day: at.toISOString().slice(0, 10) });
  };
  return (
    <article id="table" tabIndex={-1} class="unit sheet">
      <div class="tools">
        <label>
          {t("border")}
          <select value={border} onChange={(e) => (location.hash = href("report", e.currentTarget.value, p.query))}>
            {[...(known?.borders.values() ?? [])].map((b) => <option key={b.id} value={b.id}>{b.name}</option>)}
          </select>
        </label>
        <span class="buttons" role="group" aria-label={t("railwayDay")}>
          <button type="button" aria-label={t("dayBefore")} onClick={() => step(-1)}>←</button>
          <input type="date" aria-label={t("railwayDay")} value={sheet?.day ?? p.query.get("day") ?? ""} onChange={(e) => set({ day: e.currentTarget.value })} />
          <button type="button" aria-label={t("dayAfter")} onClick={() => step(1)}>→</button>
          <button type="button" aria-pressed={!p.query.get("day")} onClick={() => set({ day: "" })}>{t("now")}</button>
        </span>
        <span class="buttons" role="group" aria-label={t("shift")}>
          {["", "first", "second"].map((s) => <button key={s} type="button" aria-pressed={(p.query.get("shift") ?? "") === s} onClick={() => set({ shift: s })}>{t(`shift_${s}` as Key)}</button>)}
        </span>
        <span class="buttons" role="group" aria-label={t("units")}>
          {["train", "wagon", "container"].map((k) => <button key={k} type="button" aria-pressed={k === kind} onClick={() => set({ unit: k === "train" ? "" : k })}>{t(`unit_${k}` as Key)}</button>)}
        </span>
        <button type="button" onClick={() => print()}>{t("print")}</button>
      </div>
      {error && <p class="empty bad" role="alert">{error}</p>}
      {!sheet && !error && <p class="empty">{t("loading")}</p>}
      {sheet && (
        <>
          <h2>{sheet.name} <small>{`${t("railwayDay")} ${sheet.day}${sheet.shift ? ", " + t(`shift_${sheet.shift}` as Key) : ""}, ${t(`unit_${sheet.unit_kind}` as Key)}`}</small></h2>
          {sheet.flows.map((f) => <FlowView key={f.direction} flow={f} />)}
          <p class="count">{t("asOf", sheet.stage_time.slice(0, 16).replace("T", " "))}</p>
        </>
      )}
    </article>
  );
}

function FlowView(p: { flow: Flow }) {
  const f = p.flow;
  const clock = (time: string) => clockIn(Date.parse(time), f.zone);
  const out = f.sides[0]!;
  return (
    <section>
      <h3>{f.direction} <small class="inline">{`${clock(f.from)} – ${clock(f.to)}${f.over ? "" : ", " + t("soFar")}`}</small></h3>
      <table class="balance">
        <thead>
          <tr><th scope="col">{t("side")}</th><th scope="col" class="n">{t("onHandStart")}</th><th scope="col" class="n">{t("cameIn")}</th><th scope="col" class="n">{t("wentOut")}</th><th scope="col" class="n">{t("onHandEnd")}</th></tr>
        </thead>
        <tbody>
          {f.sides.map((s) => (
            <tr key={s.role} class={s.breaks.length ? "warn" : ""}>
              <th scope="row">{t(s.role as Key, s.country)}</th>
              <td class="n big">{s.start}</td><td class="n big">{`+${s.arrived}`}</td>
              <td class="n big">{`−${s.left}`}{s === out && f.planned !== null && <small>{t("agreed", String(f.planned))}</small>}</td>
              <td class="n big">{s.end}{s.breaks.length === 0 && <small>{t("closes")}</small>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {f.sides.flatMap((s) => s.breaks.map((b) => <p key={s.role + b.unit} class="delay bad">{t("breaks", t(s.role as Key, s.country), (b.by > 0 ? "+" : "") + b.by)} <Unit of={b.unit} />: {b.why}</p>))}
      {f.refused.length > 0 && <h4>{t("refusedTitle", String(f.refused.length))}</h4>}
      {f.refused.length > 0 && <ul>{f.refused.map((r) => <li key={r.unit + r.at}><Unit of={r.unit} /> {t(`step_${r.step}` as Key)} {clock(r.at)}{r.cause && `: ${word(r.cause)}`}</li>)}</ul>}
      {f.held.length > 0 && <h4>{t("heldTitle", String(f.held.length))}</h4>}
      {f.held.length > 0 && <ul>{f.held.map((h) => <li key={h.unit + h.since}><Unit of={h.unit} /> {h.place_name}, {clock(h.since)} – {h.until ? clock(h.until) : "…"}{h.cause && `: ${word(h.cause)}`}</li>)}</ul>}
      {f.sides.filter((s) => s.longest.length).map((s) => (
        <div key={s.role}>
          <h4>{t("longest", t(s.role as Key, s.country))}</h4>
          <table class="balance stack">
            <tbody>
              {s.longest.map((w) => (
                <tr key={w.unit}>
                  <th scope="row"><Unit of={w.unit} /></th><td class="n when">{clock(w.since)}</td><td class="n when">{duration(w.seconds)}</td>
                  <td>{(w.causes ?? []).map((c) => `${word(c.cause)} ${duration(c.seconds)}`).join(", ")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ))}
    </section>
  );
}

function Unit(p: { of: string }) {
  return <a href={href("unit", p.of)}>{p.of}</a>;
}

/** The sheet as the server makes it, anew every now and then, and why there is none. */
function useSheet(border: string, params: Record<string, string>): [Sheet | undefined, string] {
  const [state, setState] = useState<{ key: string; sheet?: Sheet; error: string }>({ key: "", error: "" });
  const key = `${border}?${new URLSearchParams([...Object.entries(params)].filter(([, v]) => v))}`;
  useEffect(() => {
    if (!border) return;
    const stop = new AbortController();
    let timer = 0;
    const go = async () => {
      try {
        const res = await fetch(`/api/v1/report?border=${encodeURIComponent(border)}&${key.split("?")[1]}`, { signal: stop.signal });
        const body = await res.json();
        setState(res.ok ? { key, sheet: body, error: "" } : { key, error: body.error });
      } catch (e) {
        if (!stop.signal.aborted) setState((s) => ({ ...s, key, error: String(e) }));
      }
      if (!stop.signal.aborted) timer = window.setTimeout(go, refresh);
    };
    void go();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [key]);
  return state.key === key ? [state.sheet, state.error] : [undefined, ""];
}
