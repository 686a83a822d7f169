import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

/** Gzipped bytes of a minified program in a browser's bundle, React itself left out. */
async function size(program: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    conditions: ['browser'],
    bundle: true,
    minify: true,
    write: false,
    tsconfigRaw: {},
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['react'],
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}

/** What parts of the bindings add to the client. docs/decisions/0100-react-size-budget.md says why it is not less. */
it.each([
  ['nothing but the provider', '{ ChatProvider }', 512],
  ['a list of conversations', '{ ChatProvider, useConversations }', 1_280],
  ['a conversation', '{ ChatProvider, useConnection, useMessages, useSend }', 2_816],
  ['all of it', '*', 4_096],
])('the React bindings add little to the client: %s', async (name, parts, budget) => {
  const core = `export * from '@kithwire/client'`
  const added = (await size(`${core}; export ${parts} from '@kithwire/client/react'`)) - (await size(core))
  console.log(`@kithwire/client/react, ${name}: ${added} bytes gzipped, budget ${budget}`)
  expect(added).toBeLessThanOrEqual(budget)
})
