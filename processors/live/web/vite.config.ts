import { defineConfig } from "vite";

// The page is embedded in the binary and served from its root. Nothing is inlined: the content security policy allows files alone.
export default defineConfig({
  build: { target: "es2022", assetsInlineLimit: 0, emptyOutDir: false, modulePreload: { polyfill: false } },
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
