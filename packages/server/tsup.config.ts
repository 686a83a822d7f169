import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    mongo: 'src/stores/mongo.ts',
    sqlite: 'src/stores/sqlite.ts',
    cli: 'src/cli/main.ts',
    'sqlite-worker': 'src/stores/sqlite-worker.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  dts: {
    entry: {
      index: 'src/index.ts',
      mongo: 'src/stores/mongo.ts',
      sqlite: 'src/stores/sqlite.ts',
      testing: 'src/testing/index.ts',
    },
  },
  clean: true,
  target: 'node20',
  platform: 'node',
  shims: true,
  splitting: true,
  // esbuild would turn node:sqlite into sqlite, which is no module.
  removeNodeProtocol: false,
})
