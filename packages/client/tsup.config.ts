import { defineConfig, type Options } from 'tsup'

const shared: Options = { target: 'es2022', splitting: false }

/**
 * Two builds over one core: they differ only in where a socket comes from (socket.ts or socket-browser.ts). Stores of
 * browsers share what they have in common with the core of the browser build.
 */
export default defineConfig([
  { ...shared, entry: { index: 'src/index.ts' }, format: ['esm', 'cjs'], dts: true, platform: 'node', clean: true },
  {
    ...shared,
    entry: { 'index.browser': 'src/index-browser.ts', 'indexed-db': 'src/stores/indexed-db.ts' },
    format: ['esm', 'cjs'],
    platform: 'browser',
    splitting: true,
    dts: { entry: { 'indexed-db': 'src/stores/indexed-db.ts' }, compilerOptions: { lib: ['ES2022', 'DOM'] } },
  },
])
