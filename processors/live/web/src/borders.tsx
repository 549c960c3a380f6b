import { firing, isOfSide, loud } from "./alerting";
import { Agreed, asOf, Day, days, Restrictions, TimeToClear, Upstream, whyNoNorm } from "./border_day";
import { useCatalogue, type Border } from "./catalogue";
import { age, duration, number, text } from "./format";
import { href } from "./route";
import type { Live, Row } from "./stream";
import { t, type Key } from "./texts";

/** A side of a border with its ages at now. */
interface Side {
  row: Row;
  oldest: number; // seconds; NaN: nobody is there
  norm: number; // seconds; NaN: none
  ratio: number; // oldest to norm; -1: cannot be said
}

function sides(live: Live, kind: string, now: number): Side[] {
  return live
    .rows("borders")
    .filter((r) => r["unit_kind"] === kind)
    .map((row) => {
      const oldest = age(row["oldest_since"], now);
      const norm = number(row["norm_s"]);
      return { row, oldest, norm, ratio: oldest / norm >= 0 ? oldest / norm : -1 };
    })
    .sort((a, b) => b.ratio - a.ratio || number(b.row["waiting"]) - number(a.row["waiting"]) || a.row.key.localeCompare(b.row.key));
}

/** How bad it is: told by a word in the class, a colour and the number itself. */
function grade(ratio: number): string {
  return ratio < 0 ? "none" : ratio <= 1 ? "good" : ratio <= 2 ? "warn" : "bad";
}

export function Borders(p: { live: Live; kind: string; filter: string }) {
  const known = useCatalogue();
  const now = p.live.now();
  const fire = firing(p.live);
  const byDay = days(p.live);
  const all = sides(p.live, p.kind, now);
  const shown = all.filter((s) => fits(s.row, p.filter));
  if (shown.length === 0) return <p class="empty">{t(all.length ? "nothingFits" : "nothing")}</p>;
  return (
    <table id="table" tabIndex={-1} class="board">
      <caption class="hidden">{t("borders")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("border")}</th>
          <th scope="col">{t("side")}</th>
          <th scope="col" class="n">{t("waiting")}</th>
          <th scope="col" class="n wide">{t("upstream")}</th>
          <th scope="col" class="n">{t("oldest")}</th>
          <th scope="col" class="n">{t("againstNorm")}</th>
          <th scope="col" class="n wide median">{t("median")}</th>
          <th scope="col" class="n wide">{t("released")}</th>
          <th scope="col" class="n wide">{t("timeToClear")}</th>
          <th scope="col" class="n wide">{t("railwayDay")}<small>{asOf(byDay)}</small></th>
          <th scope="col" class="n wide">{t("agreedDay")}</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((s) => (
          <tr key={s.row.key} class={grade(s.ratio)}>
            <th scope="row">
              <a href={href("report", text(s.row["border"]))}>{text(s.row["border_name"]) || text(s.row["border"])}</a>
              <small>{text(s.row["direction"])}</small>
              <Restrictions live={p.live} side={s.row} border={known?.borders.get(text(s.row["border"]))} />
              <Fires alerts={fire.filter((a) => isOfSide(a, s.row))} side={s.row} />
            </th>
            <td class="side">{t(s.row["role"] as Key, text(s.row["country"]))}</td>
            <td class="n big" data-l={t("waiting")}>
              {number(s.row["waiting"])}
              <small>{parts(s.row)}</small>
            </td>
            <td class="n" data-l={t("upstream")}><Upstream days={byDay.get(s.row.key) ?? []} side={s.row} /></td>
            <td class="n" data-l={t("oldest")}>
              {Number.isNaN(s.oldest) ? "–" : duration(s.oldest)}
              {text(s.row["oldest_unit"]) && <small class="wide"><a href={href("unit", text(s.row["oldest_unit"]))}>{text(s.row["oldest_unit"])}</a></small>}
            </td>
            <td class="n grade" data-l={t("againstNorm")}>
              <Against side={s} border={known?.borders.get(text(s.row["border"]))} />
            </td>
            <td class="n wide median">{Number.isNaN(age(s.row["median_since"], now)) ? "–" : duration(age(s.row["median_since"], now))}</td>
            <td class="n" data-l={t("released")}>
              {number(s.row["released_24h"])}
              <small>{Number.isNaN(number(s.row["released_median_s"])) ? "" : `${t("releasedMedian")} ${duration(number(s.row["released_median_s"]))}`}</small>
            </td>
            <td class="n" data-l={t("timeToClear")}><TimeToClear side={s.row} /></td>
            <td class="n day" data-l={t("railwayDay")}><Day days={byDay.get(s.row.key) ?? []} side={s.row} /></td>
            <td class="n" data-l={t("agreedDay")}><Agreed days={byDay.get(s.row.key) ?? []} side={s.row} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** That alerts fire there: one is led to, or the list of several. */
function Fires(p: { alerts: Row[]; side: Row }) {
  const [worst, ...more] = p.alerts;
  if (!worst) return null;
  const to = more.length ? href("alerts", "", { border: text(p.side["border"]) }) : href("alerts", worst.key);
  return (
    <a class={`fires ${loud(worst)}`} href={to} title={p.alerts.map((a) => text(a["summary"])).join("\n")}>
      {`▲ ${t(`kind_${text(worst["kind"])}` as Key)}${more.length ? " +" + more.length : ""}`}
    </a>
  );
}

function Against(p: { side: Side; border: Border | undefined }) {
  const { oldest, norm, row } = p.side;
  if (Number.isNaN(norm) && !number(row["waiting"])) return <>–</>;
  if (Number.isNaN(norm)) return <span class="why" title={whyNoNorm(row, p.border)}>{t("noNorm")}</span>;
  if (Number.isNaN(oldest)) return <>–<small>{`${t("norm")} ${duration(norm)}`}</small></>;
  const over = oldest - norm;
  return (
    <>
      <span class="badge">{over > 0 ? "+" + duration(over) : t("within")}</span>
      <small>{`${t("norm")} ${duration(norm)}${number(row["over_norm"]) ? `, ${number(row["over_norm"])} ${t("overNorm")}` : ""}`}</small>
    </>
  );
}

function parts(row: Row): string {
  const out: string[] = [];
  for (const key of ["silent", "candidates"] as const) {
    if (number(row[key])) out.push(`${number(row[key])} ${t(key)}`);
  }
  return out.join(", ");
}

/** Whether every word of the filter stands somewhere in the row. */
export function fits(row: Row, filter: string): boolean {
  const all = Object.values(row).filter((v) => typeof v === "string").join(" ").toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}
