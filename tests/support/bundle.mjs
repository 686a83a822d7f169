import { build } from 'esbuild'

/**
 * Bundles a file of the tests from the sources, changed by `plugins` on their way. A bundle starts in a blink, and lets
 * a mutant be run without touching a source.
 */
export async function bundleSources(root, entry, outfile, plugins = []) {
  await build({
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
    absWorkingDir: root,
    // In CommonJS there is no import.meta; only files that such a bundle never reaches ask for it.
    define: { 'import.meta.url': '"file:///bundle"' },
    alias: {
      '@kithwire/protocol/testing': `${root}packages/protocol/src/testing/index.ts`,
      '@kithwire/protocol': `${root}packages/protocol/src/index.ts`,
      '@kithwire/client': `${root}packages/client/src/index.ts`,
      '@kithwire/server': `${root}packages/server/src/index.ts`,
    },
    entryPoints: [root + entry],
    outfile,
    plugins,
  })
}
