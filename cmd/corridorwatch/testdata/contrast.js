// The texts that are shown whose contrast with what lies behind them is too little: WCAG 2.2, success criterion 1.4.3, level AA, asks
// for 4.5, and for 3 where a text has 24 pixels, or 18.66 and is bold. Returns how many texts there were, and a line for each that fails.
(() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => {
    const mix = (c) => top[c] * top.a + under[c] * (1 - top.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const luminance = (c) => {
    const [r, g, b] = [c.r, c.g, c.b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };
  const opacity = (el) => {
    let out = 1;
    for (; el; el = el.parentElement) out *= Number(getComputedStyle(el).opacity);
    return out;
  };
  // What is painted by an element itself: shapes have a fill, all else has a background.
  const paint = (el) => {
    const s = getComputedStyle(el);
    const shape = el instanceof SVGElement && !(el instanceof SVGSVGElement);
    if (shape && (s.fill === "none" || el instanceof SVGTextElement || el instanceof SVGLineElement || el instanceof SVGGElement || el instanceof SVGAElement)) return undefined;
    const c = parse(shape ? s.fill : s.backgroundColor);
    return { ...c, a: c.a * opacity(el) * (shape ? Number(s.fillOpacity) : 1) };
  };
  const behind = (el, box) => {
    const s = getComputedStyle(el);
    if (el instanceof SVGElement && s.stroke !== "none" && s.paintOrder.startsWith("stroke") && parseFloat(s.strokeWidth) >= 2) return parse(s.stroke); // a halo
    let layers = [];
    if (el instanceof SVGElement) layers = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    else for (let e = el; e; e = e.parentElement) layers.push(e);
    const seen = layers.map(paint).filter((c) => c && c.a > 0);
    seen.push({ r: 255, g: 255, b: 255, a: 1 }); // paper
    const last = seen.findIndex((c) => c.a >= 1);
    return seen.slice(0, last + 1).reduceRight((under, top) => (under ? over(top, under) : top), undefined);
  };
  let texts = 0;
  const wrong = [];
  const look = (el, what, colour, style, box) => {
    texts++;
    const ground = behind(el, box);
    const c = parse(colour);
    const ratio = contrast(over({ ...c, a: c.a * opacity(el) }, ground), ground);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio < least) wrong.push(`"${what}" (${el.tagName.toLowerCase()}.${[...el.classList].join(".")}): ${ratio.toFixed(2)} of ${least}`);
  };
  const shown = (el) => el.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode;
    const el = text.parentElement;
    if (!text.data.trim() || !shown(el) || el.closest(":disabled")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    if (!box.width || box.right <= 0) continue; // nothing is seen of it, or it is for readers of the screen alone
    const frame = el instanceof SVGElement && el.ownerSVGElement.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    if (frame && (x < frame.left || x > frame.right || y < frame.top || y > frame.bottom)) continue; // it is cut off
    const s = getComputedStyle(el);
    look(el, text.data.trim().slice(0, 40), el instanceof SVGElement ? s.fill : s.color, s, box);
  }
  for (const el of document.querySelectorAll("body *")) {
    if (!shown(el)) continue;
    for (const pseudo of ["::before", "::after", "::placeholder"]) {
      const s = getComputedStyle(el, pseudo);
      const what = pseudo === "::placeholder" ? el.getAttribute("placeholder") : s.content.replace(/^(none|normal|"")$/, "");
      if (what) look(el, `${pseudo} ${what}`, s.color, s, el.getBoundingClientRect());
    }
    if (el.matches("input, select") && !el.disabled) look(el, `the value of ${el.tagName.toLowerCase()}`, getComputedStyle(el).color, getComputedStyle(el), el.getBoundingClientRect());
  }
  // Texts on a canvas have colours of the style sheet, and lie on the sheet or on the zone of a border.
  const box = document.querySelector(".diagram:has(canvas)");
  if (box) {
    const probe = box.appendChild(document.createElement("i"));
    const value = (name) => {
      probe.style.color = `var(--${name})`;
      return parse(getComputedStyle(probe).color);
    };
    for (const ground of ["sheet", "zone"]) {
      for (const name of ["ink", "soft", "good", "warn", "bad"]) {
        texts++;
        const ratio = contrast(value(name), value(ground));
        if (ratio < 4.5) wrong.push(`${name} on ${ground}, on the diagram: ${ratio.toFixed(2)} of 4.5`);
      }
    }
    probe.remove();
  }
  return { texts, wrong: [...new Set(wrong)] };
})()
