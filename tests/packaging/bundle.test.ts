import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

/**
 * Gzipped bytes of the minified client with all it needs, eventemitter3 and the codec included. Just above what it is,
 * to notice growth; docs/decisions/0030-client-size-budget.md says why it is not less.
 */
const BUDGET = 24 * 1024

async function bundle(conditions: string[]) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export * from '@kithwire/client'`, resolveDir: import.meta.dirname },
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
  })
  return { code: outputFiles[0]!.contents, inputs: Object.keys(metafile.inputs) }
}

describe.each(['browser', 'react-native', 'workerd', 'edge-light', 'deno', 'bun'])(
  'the client under %s',
  (condition) => {
    it('brings neither ws nor a module of Node', async () => {
      const { inputs } = await bundle([condition])
      expect(inputs.filter((path) => /node_modules\/(isomorphic-)?ws\/|^node:/.test(path))).toEqual([])
      expect(inputs.some((path) => path.endsWith('client/dist/index.browser.js'))).toBe(true)
    })

    it('fits the budget', async () => {
      const { code } = await bundle([condition])
      const size = gzipSync(code, { level: 9 }).length
      console.log(`@kithwire/client under ${condition}: ${size} bytes gzipped, budget ${BUDGET}`)
      expect(size).toBeLessThanOrEqual(BUDGET)
    })
  },
)
