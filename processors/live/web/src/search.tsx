import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask } from "./api";
import { href } from "./route";
import { t, type Key } from "./texts";

interface Found {
  kind: string;
  id: string;
  name: string;
}

const wait = 250;
const most = 12;
const shortest = 2;

/** Finds trains, containers, places, borders and corridors by a part of their name, and goes there. */
export function Search(p: { input: RefObject<HTMLInputElement | null> }) {
  const [words, setWords] = useState("");
  const [found, setFound] = useState<{ of: string; rows: Found[] }>({ of: "", rows: [] });
  const [at, setAt] = useState(0);
  const asked = words.trim();
  useEffect(() => {
    if (asked.length < shortest) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      ask<Found>("search", { text: asked, order: "rank,kind,id", limit: most }, stop.signal).then(
        (rows) => (setFound({ of: asked, rows }), setAt(0)),
        () => stop.signal.aborted || setFound({ of: asked, rows: [] }),
      );
    }, wait);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [asked]);
  const rows = asked.length >= shortest ? found.rows : [];
  const go = (f: Found | undefined) => {
    if (!f) return;
    location.hash = where(f);
    setWords("");
    p.input.current?.blur();
  };
  const key = (e: KeyboardEvent) => {
    if (e.key === "ArrowDown") setAt((i) => Math.min(i + 1, rows.length - 1));
    else if (e.key === "ArrowUp") setAt((i) => Math.max(i - 1, 0));
    else if (e.key === "Enter") go(rows[at]);
    else if (e.key === "Escape") setWords("");
    else return;
    e.preventDefault();
  };
  const open = rows.length > 0 || (asked.length >= shortest && found.of === asked);
  return (
    <div class="search">
      <input ref={p.input} type="search" value={words} placeholder={t("searchHint")} aria-label={t("search")} role="combobox" list={undefined} aria-autocomplete="list" aria-expanded={open} aria-controls="found"
        aria-activedescendant={rows[at] ? `found-${at}` : undefined} onInput={(e) => setWords(e.currentTarget.value)} onKeyDown={key} />
      {open && (
        <ul id="found" role="listbox" aria-label={t("search")}>
          {rows.map((f, i) => (
            <li key={`${f.kind} ${f.id}`} id={`found-${i}`} role="option" aria-selected={i === at} onClick={() => go(f)}>{f.name} <small class="inline">{t(`one_${f.kind}` as Key)}</small></li>
          ))}
          {!rows.length && <li class="dim">{t("notFound")}</li>}
        </ul>
      )}
    </div>
  );
}

function where(f: Found): string {
  if (f.kind === "place" || f.kind === "corridor") return href(f.kind, f.id);
  return f.kind === "border" ? href("report", f.id) : href("unit", f.id);
}
