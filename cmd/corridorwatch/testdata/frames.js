// Moves the diagram, a step in each frame, for so long, and returns how far frames lie apart and how long the lines took to draw, ms.
// gesture is pan (drags to and fro), zoom (wheel in and out), hover (the mouse over the lines), or rest.
async (gesture, ms) => {
  const el = document.querySelector(".diagram");
  el.setPointerCapture = () => {}; // there is no such pointer
  const r = el.getBoundingClientRect();
  const frame = () => new Promise(requestAnimationFrame);
  const point = (type, x, y) => el.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: r.left + x, clientY: r.top + y, bubbles: true, pointerType: "mouse" }));
  const wheel = (by) => el.dispatchEvent(new WheelEvent("wheel", { deltaY: by, clientX: r.left + r.width * 0.6, clientY: r.top + r.height / 2, bubbles: true, cancelable: true }));
  performance.clearMeasures("diagram");
  const gaps = [];
  let last = await frame();
  const end = last + ms;
  if (gesture === "pan") point("pointerdown", r.width / 2, r.height / 2);
  for (let i = 0; last < end; i++) {
    const to = Math.abs((i % 240) - 120) / 120; // 0 to 1 and back in four seconds
    if (gesture === "pan") point("pointermove", r.width * (0.3 + 0.4 * to), r.height / 2);
    if (gesture === "hover") point("pointermove", r.width * (0.2 + 0.7 * to), r.height * (0.2 + 0.6 * to));
    if (gesture === "zoom") wheel(i % 240 < 120 ? 8 : -8);
    const now = await frame();
    gaps.push(now - last);
    last = now;
  }
  if (gesture === "pan") point("pointerup", r.width / 2, r.height / 2);
  return { gaps, draws: performance.getEntriesByName("diagram").map((e) => e.duration) };
}
