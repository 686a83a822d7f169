import { defineConfig, type Options } from 'tsup'

const shared: Options = { target: 'es2022', splitting: false }

/**
 * Two builds over one core: they differ only in where a socket comes from (socket.ts or socket-browser.ts). Each store
 * shares what it has in common with the core of its build.
 */
export default defineConfig([
  {
    ...shared,
    entry: { index: 'src/index.ts', file: 'src/stores/file.ts' },
    format: ['esm', 'cjs'],
    platform: 'node',
    splitting: true,
    dts: { compilerOptions: { types: ['node'] } },
    clean: true,
  },
  {
    ...shared,
    entry: { 'index.browser': 'src/index-browser.ts', 'indexed-db': 'src/stores/indexed-db.ts' },
    format: ['esm', 'cjs'],
    platform: 'browser',
    splitting: true,
    dts: { entry: { 'indexed-db': 'src/stores/indexed-db.ts' }, compilerOptions: { lib: ['ES2022', 'DOM'] } },
  },
])
