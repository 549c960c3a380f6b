import { useEffect, useState } from "preact/hooks";

/** Asks the API for rows; an error says what the server said. */
export async function ask<T>(view: string, params: Record<string, string | number>, signal?: AbortSignal): Promise<T[]> {
  const query = new URLSearchParams(Object.entries(params).map(([k, v]) => [k, String(v)]));
  query.set("format", "ndjson");
  const res = await fetch(`/api/v1/${view}?${query}`, { signal: signal ?? null });
  const body = await res.text();
  if (!res.ok) {
    let said = body;
    try {
      said = JSON.parse(body).error;
    } catch {
      // not ours: a proxy's
    }
    throw new Error(said || res.statusText);
  }
  return body.split("\n").filter((line) => line).map((line) => JSON.parse(line));
}

export interface Asked<T> {
  rows: T[] | undefined; // what was last heard
  error: string;
  asked: number; // when, by the browser's clock
}

/**
 * Rows of a view, asked for anew when the parameters change and every so many ms. What was there stays until the answer is; with other
 * parameters it does not. view "" asks for nothing.
 */
export function useRows<T>(view: string, params: Record<string, string | number>, every = 0): Asked<T> {
  const key = view + "?" + JSON.stringify(params);
  const [state, setState] = useState<Asked<T> & { key: string }>({ key: "", rows: undefined, error: "", asked: 0 });
  useEffect(() => {
    if (!view) return;
    const stop = new AbortController();
    let timer: number | undefined;
    const go = () => {
      ask<T>(view, params, stop.signal)
        .then(
          (rows) => setState({ key, rows, error: "", asked: Date.now() }),
          (e: Error) => stop.signal.aborted || setState((s) => ({ ...s, key, rows: s.key === key ? s.rows : undefined, error: e.message })),
        )
        .finally(() => {
          if (every && !stop.signal.aborted) timer = window.setTimeout(go, every);
        });
    };
    go();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [key, every]);
  return state.key === key ? state : { rows: undefined, error: "", asked: 0 };
}
