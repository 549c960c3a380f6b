// What the server says is now: rows by view and key, kept up to date by its events.
export type Row = Record<string, unknown> & { key: string };
type Changes = Record<string, Record<string, Row | null>>;

export interface Server {
  looked: string;
  clock: string;
  error?: string;
}

export class Live {
  readonly views = new Map<string, Map<string, Row>>();
  server: Server | undefined;
  connected = false;
  /** When something was last heard, by the browser's clock. */
  heard = 0;
  private readonly watchers = new Set<() => void>();
  private source: EventSource | undefined;
  private silence: number | undefined;

  /** The server says something every 10 s; a connection on which nothing has come for so long is dead. */
  private static readonly patience = 35_000;

  start(): void {
    this.source?.close();
    // The browser goes on from the last id by itself; a source that is made anew says where it was.
    this.source = new EventSource("/api/v1/stream" + (this.last ? "?last=" + encodeURIComponent(this.last) : ""));
    this.source.addEventListener("snapshot", (e) => this.take(e, true));
    this.source.addEventListener("delta", (e) => this.take(e, false));
    this.source.addEventListener("state", (e) => {
      this.server = JSON.parse(e.data);
      this.hear(e);
    });
    this.source.onerror = () => {
      this.connected = false;
      this.tell();
      if (this.source?.readyState === EventSource.CLOSED) setTimeout(() => this.start(), 3000);
    };
    this.wait();
  }

  private last = "";

  private take(e: MessageEvent<string>, whole: boolean): void {
    const changes: Changes = JSON.parse(e.data);
    if (whole) this.views.clear();
    for (const [view, rows] of Object.entries(changes)) {
      let into = this.views.get(view);
      if (!into) this.views.set(view, (into = new Map()));
      for (const [key, row] of Object.entries(rows)) {
        if (row) into.set(key, row);
        else into.delete(key);
      }
    }
    this.hear(e);
  }

  private hear(e: MessageEvent): void {
    this.last = e.lastEventId || this.last;
    this.connected = true;
    this.heard = Date.now();
    this.wait();
    this.tell();
  }

  private wait(): void {
    clearTimeout(this.silence);
    this.silence = window.setTimeout(() => {
      this.connected = false;
      this.tell();
      this.start();
    }, Live.patience);
  }

  /** Calls back, at most once a frame, when something has changed. */
  watch(f: () => void): () => void {
    this.watchers.add(f);
    return () => this.watchers.delete(f);
  }

  private pending = false;
  private tell(): void {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      for (const f of this.watchers) f();
    });
  }

  rows(view: string): Row[] {
    return [...(this.views.get(view)?.values() ?? [])];
  }

  /**
   * The time by which ages are told, in ms: stage time. Where that keeps up with the clock it moves between what the server says too, in an
   * installation whose time comes out of events it does not.
   */
  now(): number {
    const row = this.views.get("now")?.get("now");
    const stage = Date.parse(String(row?.["stage_time"] ?? ""));
    if (!this.server || Number.isNaN(stage)) return NaN;
    const wall = Math.abs(Date.parse(this.server.clock) - stage) < 5 * 60_000;
    return wall ? stage + Math.min(Date.now() - this.heard, 60_000) : stage;
  }
}
