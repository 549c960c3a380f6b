import { fits } from "./borders";
import { useCatalogue } from "./catalogue";
import { age, duration, number, silence, text } from "./format";
import { href } from "./route";
import type { Live, Row } from "./stream";
import { t } from "./texts";

/** So many rows are drawn: more nobody reads, and the filter finds them. */
const most = 300;

export function Trains(p: { live: Live; kind: string; filter: string }) {
  const known = useCatalogue();
  const now = p.live.now();
  const all = p.live.rows("trains").filter((r) => r["unit_kind"] === p.kind);
  const shown = all.filter((r) => fits(r, p.filter)).sort((a, b) => rank(b, now) - rank(a, now) || a.key.localeCompare(b.key));
  if (shown.length === 0) return <p class="empty">{t(all.length ? "nothingFits" : "nothing")}</p>;
  return (
    <table id="table" tabIndex={-1}>
      <caption class="hidden">{t("trains")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("train")}</th>
          <th scope="col">{t("where")}</th>
          <th scope="col" class="n">{t("since")}</th>
          <th scope="col" class="wide">{t("state")}</th>
          <th scope="col" class="n">{t("seen")}</th>
          <th scope="col" class="n wide">{t("speed")}</th>
          <th scope="col" class="wide">{t("destination")}</th>
          <th scope="col" class="n wide">{t("load")}</th>
        </tr>
      </thead>
      <tbody>
        {shown.slice(0, most).map((r) => (
          <tr key={r.key} class={r["state"] === "open" ? "none" : "dim"}>
            <th scope="row">
              <a href={href("unit", r.key)}>{r.key}</a>
              <small>{[text(r["direction_by"]), text(r["direction"])].join(" ")}</small>
              <small class="narrow">{text(r["state"])}</small>
            </th>
            <td>{text(r["place"]) ? <a href={href("place", text(r["place"]))}>{t("at", text(r["place_name"]))}</a> : text(r["last_place"]) ? t("behind", text(r["last_place_name"])) : "–"}</td>
            <td class="n">{r["state"] === "closed" || Number.isNaN(age(r["since"], now)) ? "–" : duration(age(r["since"], now))}</td>
            <td class="wide">{text(r["state"])}</td>
            <td class="n">{Number.isNaN(silence(r["seen_at"], now)) ? "–" : t("ago", duration(silence(r["seen_at"], now)))}</td>
            <td class="n wide">{Number.isNaN(number(r["speed_kmh"])) ? "–" : Math.round(number(r["speed_kmh"]))}</td>
            <td class="wide">{known?.places.get(text(r["destination"]))?.name ?? text(r["destination"])}</td>
            <td class="n wide">{number(r["containers"]) || "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Who stands for the longest comes first; closed runs last. */
function rank(r: Row, now: number): number {
  if (r["state"] === "closed") return -1;
  return text(r["place"]) ? age(r["since"], now) || 0 : 0;
}
