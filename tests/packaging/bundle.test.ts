import { gzipSync } from 'node:zlib'
import { type BuildOptions, build } from 'esbuild'
import { describe, expect, it } from 'vitest'

/**
 * Gzipped bytes of the minified client with all it needs, eventemitter3 and the codec included. Just above what it is,
 * to notice growth; docs/decisions/0030-client-size-budget.md says why it is not less.
 */
const CORE = 24.5 * 1024

/** The same with the store in IndexedDB, and idb with it. */
const OFFLINE = 30.5 * 1024

const CLIENT = `export * from '@kithwire/client'`
const STORE = `export * from '@kithwire/client/indexed-db'`

async function bundle(conditions: string[], contents = CLIENT, options: BuildOptions = {}) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    conditions,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    // The published builds, and not the sources that the project's own configuration names.
    tsconfigRaw: {},
    format: 'esm',
    target: 'es2022',
    // Neither a browser's nor Node's own conditions: only those that are named.
    platform: 'neutral',
    mainFields: ['module', 'main'],
    logLevel: 'silent',
    ...options,
  })
  return {
    size: gzipSync(outputFiles![0]!.contents, { level: 9 }).length,
    code: outputFiles![0]!.text,
    inputs: Object.keys(metafile!.inputs),
  }
}

const NODE_ONLY = /node_modules\/(isomorphic-)?ws\/|^node:/

describe.each(['browser', 'react-native', 'workerd', 'edge-light', 'deno', 'bun'])(
  'the client under %s',
  (condition) => {
    it('brings neither ws nor a module of Node', async () => {
      const { inputs } = await bundle([condition], `${CLIENT}\n${STORE}`)
      expect(inputs.filter((path) => NODE_ONLY.test(path))).toEqual([])
      expect(inputs.some((path) => path.endsWith('client/dist/index.browser.js'))).toBe(true)
    })

    it('fits the budget', async () => {
      const { size } = await bundle([condition])
      const { size: offline } = await bundle([condition], `${CLIENT}\n${STORE}`)
      console.log(
        `@kithwire/client under ${condition}: ${size} bytes gzipped of ${CORE}, offline ${offline} of ${OFFLINE}`,
      )
      expect(size).toBeLessThanOrEqual(CORE)
      expect(offline).toBeLessThanOrEqual(OFFLINE)
    })
  },
)

it('under jest with jsdom, which asks for browser and require, there is no ws', async () => {
  // As jest-environment-jsdom resolves: these conditions, CommonJS.
  const contents = `exports.client = require('@kithwire/client'); exports.store = require('@kithwire/client/indexed-db')`
  const { inputs } = await bundle(['browser', 'require'], contents, { format: 'cjs', mainFields: ['main'] })
  expect(inputs.filter((path) => NODE_ONLY.test(path))).toEqual([])
})

it('a bundle for a server leaves ws out where it is told to, as docs/offline.md says for Next.js', async () => {
  const { inputs, code } = await bundle(['node', 'import'], CLIENT, {
    platform: 'node',
    external: ['ws', 'isomorphic-ws'],
  })
  expect(inputs.filter((path) => /node_modules\/(isomorphic-)?ws\//.test(path))).toEqual([])
  expect(code).toMatch(/from\s*"isomorphic-ws"/)
})
