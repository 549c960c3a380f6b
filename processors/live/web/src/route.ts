// Where one is lies behind the #, so that an address can be sent to somebody: #/corridor/khorgos-aktau?h=72&q=10631
export const tabs = ["borders", "alerts", "trains", "corridor", "map", "report", "pipeline"] as const;
export type Tab = (typeof tabs)[number];
/** Views that one comes to from others. */
const inner = ["unit", "place"] as const;
export type View = Tab | (typeof inner)[number];

export interface At {
  view: View;
  id: string;
  query: URLSearchParams;
}

export function read(): At {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [first, ...rest] = (path ?? "").split("/");
  const view = [...tabs, ...inner].find((v) => v === first) ?? "borders";
  return { view, id: decoded(rest.join("/")), query: new URLSearchParams(query ?? "") };
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // somebody typed it
  }
}

/** The address of a view; parameters that are empty are left out. */
export function href(view: View, id = "", params: Record<string, string> | URLSearchParams = {}): string {
  const q = new URLSearchParams([...new URLSearchParams(params)].filter(([, v]) => v !== ""));
  const query = q.toString();
  return `#/${view}${id ? "/" + encodeURIComponent(id).replaceAll("%3A", ":") : ""}${query ? "?" + query : ""}`;
}

/** Changes parameters of the address where one is; the way back leads to the view before. */
export function set(params: Record<string, string>): void {
  const at = read();
  for (const [k, v] of Object.entries(params)) at.query.set(k, v);
  history.replaceState(null, "", href(at.view, at.id, at.query));
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}
