import { useEffect, useState } from "preact/hooks";

/** Width and height, in pixels of the page. */
export interface Size {
  width: number;
  height: number;
}

const least = 360;

/** The size of an element that is as wide as it may be and reaches down the window, but for so many pixels left for what follows it. */
export function useBox(box: { readonly current: HTMLElement | null }, below: number): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const el = box.current!;
    const measure = () => {
      if (!el.isConnected) return;
      const top = el.getBoundingClientRect().top + window.scrollY;
      setSize({ width: el.clientWidth, height: Math.max(least, Math.round(window.innerHeight - top - below)) });
    };
    const watch = new ResizeObserver(measure);
    watch.observe(el);
    window.addEventListener("resize", measure);
    return () => {
      watch.disconnect();
      window.removeEventListener("resize", measure);
    };
  }, [below]);
  return size;
}
