import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Where the bench is built: beside its dependencies, which stay outside. */
const outdir = fileURLToPath(new URL('dist', import.meta.url))

export async function bundleBench() {
  const here = fileURLToPath(new URL('.', import.meta.url))
  await build({
    absWorkingDir: here,
    entryPoints: { main: 'main.ts', load: 'load/main.ts', server: 'servers/main.ts', growth: 'growth/main.ts' },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What one server needs is not loaded into the process of another.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning',
  })
}
