import { build } from 'esbuild'

/**
 * Bundles an entry of the simulation from the sources, changed by `plugins` on their way, and answers with the file. A
 * bundle starts in a blink, and lets a mutant be simulated without touching a source.
 */
export async function bundle(root, name, entry, plugins = []) {
  const outfile = `${root}node_modules/.cache/simulation/${name}.cjs`
  await build({
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
    absWorkingDir: root,
    // In CommonJS there is no import.meta; only files that a simulation never reaches ask for it.
    define: { 'import.meta.url': '"file:///simulation"' },
    alias: {
      '@kithwire/protocol/testing': `${root}packages/protocol/src/testing/index.ts`,
      '@kithwire/protocol': `${root}packages/protocol/src/index.ts`,
      '@kithwire/client': `${root}packages/client/src/index.ts`,
      '@kithwire/server': `${root}packages/server/src/index.ts`,
    },
    entryPoints: [`${root}tests/simulation/${entry}.ts`],
    outfile,
    plugins,
  })
  return outfile
}
