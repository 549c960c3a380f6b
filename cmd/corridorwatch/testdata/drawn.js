// Notes for each row of a train that the stream brings when the page has drawn it: [train, when it was seen, when it was drawn], ms.
window.drawn = [];
window.EventSource = class extends EventSource {
  addEventListener(type, listener) {
    super.addEventListener(type, (e) => {
      listener(e);
      if (type !== "delta") return;
      // The page redraws in the next frame; after that frame it is on the screen.
      requestAnimationFrame(() => setTimeout(() => {
        const at = Date.now();
        for (const row of Object.values(JSON.parse(e.data).trains ?? {})) if (row) window.drawn.push([row.run, Date.parse(row.seen_at), at]);
      }));
    });
  }
};
