import { useEffect, useState } from "preact/hooks";

/** Width and height, in pixels of the page. */
export interface Size {
  width: number;
  height: number;
}

const least = 360;

/**
 * The size of an element that is as wide as it may be. With below, it also reaches down the window, but for so many pixels left for what
 * follows it; without, it is as high as what is in it.
 */
export function useBox(box: { readonly current: HTMLElement | null }, below?: number): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const el = box.current!;
    const measure = () => {
      if (!el.isConnected) return;
      const top = el.getBoundingClientRect().top + window.scrollY;
      const height = below === undefined ? 0 : Math.max(least, Math.round(window.innerHeight - top - below));
      setSize((was) => (was.width === el.clientWidth && was.height === height ? was : { width: el.clientWidth, height }));
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
