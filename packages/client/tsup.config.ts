import { defineConfig, type Options } from 'tsup'

const shared: Options = { target: 'es2022', splitting: false }

/** Two builds over one core: they differ only in where a socket comes from (socket.ts or socket-browser.ts). */
export default defineConfig([
  { ...shared, entry: { index: 'src/index.ts' }, format: ['esm', 'cjs'], dts: true, platform: 'node', clean: true },
  { ...shared, entry: { 'index.browser': 'src/index-browser.ts' }, format: ['esm', 'cjs'], platform: 'browser' },
])
