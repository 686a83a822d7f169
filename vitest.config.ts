import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url))

/**
 * `unit` runs the sources, beside which its tests stand; `integration` runs the built packages, as a user gets
 * them, so it needs `npm run build` first.
 */
export default defineConfig({
  test: {
    projects: [
      {
        resolve: {
          alias: [
            { find: /^@kithwire\/protocol$/, replacement: source('protocol/src/index.ts') },
            { find: /^@kithwire\/protocol\/testing$/, replacement: source('protocol/src/testing/index.ts') },
            { find: /^@kithwire\/client$/, replacement: source('client/src/index.ts') },
            { find: /^@kithwire\/server$/, replacement: source('server/src/index.ts') },
            { find: /^@kithwire\/server\/testing$/, replacement: source('server/src/testing/index.ts') },
          ],
        },
        test: { name: 'unit', include: ['packages/*/src/**/*.test.ts', 'tests/simulation/**/*.test.ts'] },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/simulation/**', '**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
